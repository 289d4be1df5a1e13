//! The manual pages: what `--help` says, and for the program the sessions of docs/reftable.md.
#![forbid(unsafe_code)]

use std::io;

use clap::Command;
use clap_mangen::Man;

/// The document whose sections follow the options.
const SESSIONS: &str = include_str!("../../docs/reftable.md");

/// Names and contents of the manual pages: that of the program and one for each command.
pub fn pages(command: &Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    page.extend_from_slice(to_roff(SESSIONS).as_bytes());
    all.push(("reftable.1".to_owned(), page));
    let visible = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    for sub in visible {
        let name = format!("reftable-{}", sub.get_name());
        let mut page = Vec::new();
        let sub = sub.clone().display_name(&name).bin_name(&name);
        Man::new(sub).title(&name).render(&mut page)?;
        all.push((format!("{name}.1"), page));
    }
    Ok(all)
}

/// Markdown as roff, as far as the document uses it: headings, paragraphs, lists, tables, code.
fn to_roff(text: &str) -> String {
    let mut out = String::new();
    let mut is_code = false;
    // The title and the text before the first section are not part of the page.
    let body = text
        .find("\n## ")
        .and_then(|at| text.get(at + 1..))
        .unwrap_or_default();
    for line in body.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            out.push_str(if is_code {
                ".PP\n.nf\n.RS 2\n"
            } else {
                ".RE\n.fi\n"
            });
        } else if is_code {
            put_line(&mut out, line);
        } else if let Some(heading) = line.strip_prefix("## ") {
            out.push_str(".SH \"");
            out.push_str(&heading.to_uppercase().replace('"', "\\(dq"));
            out.push_str("\"\n");
        } else if let Some(heading) = line.strip_prefix("### ") {
            out.push_str(".SS \"");
            out.push_str(&heading.replace('"', "\\(dq"));
            out.push_str("\"\n");
        } else if let Some(item) = line.strip_prefix("- ") {
            out.push_str(".IP \\(bu 2\n");
            put_line(&mut out, &inline(item));
        } else if line.starts_with("| ---") {
            // The line between the head and the body of a table.
        } else if let Some(row) = line.strip_prefix("| ") {
            let (first, rest) = row.split_once(" | ").unwrap_or((row, ""));
            out.push_str(".TP\n");
            put_line(&mut out, &inline(first));
            put_line(&mut out, &inline(rest.trim_end_matches(" |")));
        } else if line.is_empty() {
            out.push_str(".PP\n");
        } else {
            put_line(&mut out, &inline(line.trim_start()));
        }
    }
    out
}

/// Text without backticks and links.
fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        out.push_str(&before.replacen('[', "", 1));
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out.replace('`', "")
}

/// A line of text, in which nothing is a request of roff.
fn put_line(out: &mut String, line: &str) {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    if line.starts_with(['.', '\'']) {
        out.push_str("\\&");
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_roff() {
        let text = "# T\n\nx\n\n## A b\n\nSee [v](v.md) and `x-y`.\n\n```sh\n.a \\\n```\n- c\n\n### E f\n\n\
                    | D | E |\n| --- | --- |\n| f | g |\n";
        let expected = ".SH \"A B\"\n.PP\nSee v and x\\-y.\n.PP\n.PP\n.nf\n.RS 2\n\\&.a \\e\n.RE\n\
                        .fi\n.IP \\(bu 2\nc\n.PP\n.SS \"E f\"\n.PP\n.TP\nD\nE\n.TP\nf\ng\n";
        assert_eq!(to_roff(text), expected);
    }
}
