//! JSON: one object for each line.
//!
//! Names are bytes, and JSON has only text. A string that is not UTF-8 is written with
//! replacement characters, and the member with `_hex` after its name has its bytes.
#![forbid(unsafe_code)]

use std::fmt::Display;

use crate::text::put_hex;

/// An object that is being written.
pub struct Object<'b> {
    out: &'b mut Vec<u8>,
    is_empty: bool,
}

impl<'b> Object<'b> {
    pub fn new(out: &'b mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_empty: true,
        }
    }

    fn key(&mut self, key: &str) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// A string of any bytes.
    pub fn bytes(&mut self, key: &str, value: &[u8]) -> &mut Self {
        self.key(key);
        match std::str::from_utf8(value) {
            Ok(text) => put_text(self.out, text),
            Err(_) => {
                put_text(self.out, &String::from_utf8_lossy(value));
                self.key(&format!("{key}_hex"));
                self.out.push(b'"');
                put_hex(self.out, value);
                self.out.push(b'"');
            }
        }
        self
    }

    /// The text of a value, as a string.
    pub fn text(&mut self, key: &str, value: impl Display) -> &mut Self {
        self.key(key);
        put_text(self.out, &value.to_string());
        self
    }

    /// An object id.
    pub fn id(&mut self, key: &str, id: &[u8]) -> &mut Self {
        self.key(key);
        self.out.push(b'"');
        put_hex(self.out, id);
        self.out.push(b'"');
        self
    }

    /// Any value of JSON.
    pub fn value(&mut self, key: &str, value: impl Into<serde_json::Value>) -> &mut Self {
        self.key(key);
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(&mut *self.out, &value.into());
        self
    }

    /// An object in this one.
    pub fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.key(key);
        let mut inner = Object::new(self.out);
        fill(&mut inner);
        inner.end();
        self
    }

    /// A list of objects.
    pub fn list<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(T, &mut Object<'_>),
    ) -> &mut Self {
        self.key(key);
        self.out.push(b'[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            let mut inner = Object::new(self.out);
            fill(item, &mut inner);
            inner.end();
        }
        self.out.push(b']');
        self
    }

    /// Ends the object.
    pub fn end(&mut self) {
        self.out.push(b'}');
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\' && byte != 0x7f;
    if text.bytes().all(is_plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(out, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_valid_json_whatever_the_bytes() {
        let mut out = Vec::new();
        let mut object = Object::new(&mut out);
        object
            .bytes("a", b"x\"\\\n\x7f")
            .bytes("b", b"\xff\xc3\xa4");
        object.text("c", 5).value("d", serde_json::Value::Null);
        object.list("e", [1, 2], |n, item| {
            item.value("n", n);
        });
        object.object("f", |_| {});
        object.end();
        let parsed: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(parsed["a"], "x\"\\\n\x7f");
        assert_eq!(parsed["b"], "\u{fffd}\u{e4}");
        assert_eq!(parsed["b_hex"], "ffc3a4");
        assert_eq!(parsed["c"], "5");
        assert_eq!(parsed["d"], serde_json::Value::Null);
        assert_eq!(parsed["e"][1]["n"], 2);
        assert_eq!(parsed["f"], serde_json::json!({}));
    }
}
