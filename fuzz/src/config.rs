//! Arbitrary bytes as a configuration file: it is refused, or its variables are the same after they
//! have been written again.

use reftable::internals::config_list;

pub fn run(bytes: &[u8]) {
    let Ok(list) = config_list(bytes) else {
        return;
    };
    // The list ends each variable with a NUL, so a file that has one cannot be compared.
    if bytes.contains(&0) {
        return;
    }
    let mut file = Vec::new();
    for variable in list.split_inclusive(|&byte| byte == 0) {
        let variable = variable.strip_suffix(b"\0").expect("a variable ends");
        write(variable, &mut file);
    }
    assert_eq!(config_list(&file).expect("a valid file"), list);
}

/// Writes a variable of the list in the strictest form.
fn write(variable: &[u8], file: &mut Vec<u8>) {
    // A subsection has no newline.
    let end = variable.iter().position(|&byte| byte == b'\n');
    let key = &variable[..end.unwrap_or(variable.len())];
    let name_at = key
        .iter()
        .rposition(|&byte| byte == b'.')
        .map_or(0, |at| at + 1);
    let (stem, name) = key.split_at(name_at);
    assert!(
        !name.is_empty() && name.iter().all(|&byte| is_name(byte)),
        "{key:?}"
    );
    if let Some(stem) = stem.strip_suffix(b".") {
        let section_end = stem.iter().position(|&byte| byte == b'.');
        let (section, subsection) = stem.split_at(section_end.unwrap_or(stem.len()));
        assert!(section.iter().all(|&byte| is_name(byte)), "{key:?}");
        file.push(b'[');
        file.extend(section);
        if let Some(subsection) = subsection.strip_prefix(b".") {
            file.extend(b" \"");
            escape(subsection, file);
            file.push(b'"');
        }
        file.extend(b"]\n");
    }
    file.extend(name);
    if let Some(end) = end {
        file.extend(b" = \"");
        escape(&variable[end + 1..], file);
        file.push(b'"');
    }
    file.push(b'\n');
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

fn escape(text: &[u8], file: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'\n' => file.extend(b"\\n"),
            b'"' | b'\\' => file.extend([b'\\', byte]),
            _ => file.push(byte),
        }
    }
}
