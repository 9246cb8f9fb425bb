//! Codes as they stand in Rust sources: a constant that is a system's URL, followed by a literal code and perhaps a
//! literal display, as arguments or as fields. Read as tokens, so that a table that nobody lists is seen too.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{collections::HashMap, fs, path::Path};

pub struct SourceCoding {
    pub file: String,
    pub system: String,
    pub code: String,
    pub display: String,
}

/// String constants of these files by name; `NAME = "x"` in `local_system!` is the local code system `x`.
pub fn strings(files: &[&str]) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for file in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        collect_strings(tokens(&path), &mut found);
    }
    found
}

fn collect_strings(stream: TokenStream, found: &mut HashMap<String, String>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => collect_strings(group.stream(), found),
            TokenTree::Punct(sign) if sign.as_char() == '=' => {
                let Some(text) = tokens.get(at + 1).and_then(literal) else { continue };
                let typed = at >= 4 && tokens[at - 1].to_string() == "str";
                // `NAME: &str = "..."`, or `NAME = "..."`.
                let name = tokens[if typed { at - 4 } else { at.saturating_sub(1) }].to_string();
                let value = if typed { text } else { format!("{}{text}", super::LOCAL_SYSTEMS) };
                found.insert(name, value);
            }
            TokenTree::Punct(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Every literal code below a folder.
pub fn codings(folder: &str, systems: &[&str]) -> Vec<SourceCoding> {
    let mut systems = strings(systems);
    systems.retain(|_, value| value.starts_with("http") || value.starts_with("urn:"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be listed") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = path.strip_prefix(root).expect("it was found below the root").display().to_string();
                collect_codings(tokens(&path), &systems, &file, &mut found);
            }
        }
    }
    found
}

fn collect_codings(stream: TokenStream, systems: &HashMap<String, String>, file: &str, found: &mut Vec<SourceCoding>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let arguments: Vec<&[TokenTree]> = tokens.split(is_comma).collect();
    for (at, argument) in arguments.iter().enumerate() {
        let system = match argument.last() {
            Some(TokenTree::Ident(name)) => systems.get(&name.to_string()),
            _ => None,
        };
        let code = arguments.get(at + 1).and_then(|argument| only_literal(argument));
        if let (Some(system), Some(code)) = (system, code) {
            let display = arguments.get(at + 2).and_then(|argument| only_literal(argument)).unwrap_or_default();
            found.push(SourceCoding { file: file.to_owned(), system: system.clone(), code, display });
        }
    }
    for token in tokens {
        if let TokenTree::Group(group) = token {
            collect_codings(group.stream(), systems, file, found);
        }
    }
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(sign) if sign.as_char() == ',')
}

/// `"text"`, `"text".into()` or `field: "text"`: the text.
fn only_literal(argument: &[TokenTree]) -> Option<String> {
    let texts: Vec<String> = argument.iter().filter_map(literal).collect();
    let plain = argument.iter().all(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty(),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => true,
    });
    (plain && texts.len() == 1).then(|| texts[0].clone())
}

/// A string literal's text. Codes and displays hold no escapes.
fn literal(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Literal(literal) => literal.to_string().strip_prefix('"')?.strip_suffix('"').map(str::to_owned),
        TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) => None,
    }
}

fn tokens(path: &Path) -> TokenStream {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
