//! The digest of a record: does it say the same as before? Mapping specification D-01.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of a record whatever the order of its members and the white space between them.
pub fn digest(record: &Value) -> [u8; 32] {
    let mut hasher = Sha256::new();
    feed(&mut hasher, record);
    hasher.finalize().into()
}

fn feed(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            hasher.update(b"{");
            for name in names {
                feed_text(hasher, name);
                if let Some(member) = members.get(name) {
                    feed(hasher, member);
                }
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            items.iter().for_each(|item| feed(hasher, item));
            hasher.update(b"]");
        }
        Value::String(text) => feed_text(hasher, text),
        Value::Number(number) => {
            hasher.update(b"#");
            feed_text(hasher, number.as_str());
        }
        Value::Bool(flag) => hasher.update(if *flag { b"t" } else { b"f" }),
        Value::Null => hasher.update(b"n"),
    }
}

/// The length first, so that no two sequences of texts look alike.
fn feed_text(hasher: &mut Sha256, text: &str) {
    hasher.update(text.len().to_le_bytes());
    hasher.update(text.as_bytes());
}
