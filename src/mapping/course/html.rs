//! Narrative: XHTML of the few elements that it needs, every text escaped. <https://hl7.org/fhir/R4/narrative.html>

/// A `div` in the making.
pub struct Html {
    text: String,
}

impl Html {
    pub fn new() -> Self {
        Self { text: "<div xmlns=\"http://www.w3.org/1999/xhtml\">".to_owned() }
    }

    pub fn paragraph(&mut self, text: &str) {
        self.element("p", text);
    }

    fn element(&mut self, name: &str, text: &str) {
        self.text.push_str(&format!("<{name}>{}</{name}>", escape(text)));
    }

    pub fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return;
        }
        self.text.push_str("<ul>");
        items.for_each(|item| self.element("li", &item));
        self.text.push_str("</ul>");
    }

    /// A table with a heading for each column.
    pub fn table(&mut self, columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        self.text.push_str("<table><thead><tr>");
        columns.iter().for_each(|column| self.element("th", column));
        self.text.push_str("</tr></thead><tbody>");
        for row in rows {
            self.text.push_str("<tr>");
            row.iter().for_each(|cell| self.element("td", cell));
            self.text.push_str("</tr>");
        }
        self.text.push_str("</tbody></table>");
    }

    pub fn finish(mut self) -> String {
        self.text.push_str("</div>");
        self.text
    }
}

/// Text as it may stand in XML; what no XML may hold becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(letter),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_become_markup() {
        let mut html = Html::new();
        html.paragraph("<script>alert(1)</script> & \"x\" \u{1}");
        html.table(&["a<b"], [vec!["</td><img src=x>".to_owned()]]);
        html.list(["<b>".to_owned()]);
        let text = html.finish();
        assert!(!text.contains("<script") && !text.contains("<img") && !text.contains('\u{1}'), "{text}");
        assert_eq!(text.matches('<').count(), text.matches('>').count());
        assert!(
            text.contains("&lt;script&gt;") && text.contains("a&lt;b") && text.contains("<li>&lt;b&gt;</li>"),
            "{text}"
        );
    }
}
