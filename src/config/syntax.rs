//! What is wrong with the file as TOML.

use std::{collections::HashSet, ops::Range};

use toml::de::DeValue;

use super::{error::boundary, read::Finding, value::Fault};

/// Adds the syntax errors to the findings, and takes away what only follows from them: the parser goes on
/// after an error, with a guess at the entry, or at the section after a header that it can't read.
pub(super) fn add(text: &str, errors: &[toml::de::Error], findings: &mut Vec<Finding>) {
    let mut lines = HashSet::new();
    let mut broken_header = text.len();
    let mut slips = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = line_around(text, span.start);
        if text[line.clone()].trim_start().starts_with('[') && !is_duplicate(error) {
            broken_header = broken_header.min(line.start);
        }
        // One slip often makes several errors on its line.
        if lines.insert(line.start) {
            let fault = if is_duplicate(error) { duplicate() } else { Fault::new(error.message()) };
            let (span, fault) = bare_value(text, line).unwrap_or((span, fault));
            slips.push(Finding { entry: span.start, span, key: String::new(), fault });
        }
    }
    findings.retain(|finding| {
        finding.entry < broken_header && !lines.contains(&line_around(text, finding.entry).start)
    });
    findings.append(&mut slips);
}

fn is_duplicate(error: &toml::de::Error) -> bool {
    error.message() == "duplicate key"
}

fn duplicate() -> Fault {
    Fault::new("this key stands here for the second time").hint("leave one of the two out")
}

/// What is wrong with a line such as `listen = 127.0.0.1:3000` or `listen =`. No value is repeated: it may be
/// a command line that holds a password.
fn bare_value(text: &str, line: Range<usize>) -> Option<(Range<usize>, Fault)> {
    let (key, rest) = text[line.clone()].split_once('=')?;
    let value = rest.split('#').next().unwrap_or_default();
    let start = line.start + key.len() + 1 + (value.len() - value.trim_start().len());
    let (key, value) = (key.trim(), value.trim());
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_text = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | ':' | '-' | '+' | '$' | '~');
    if key.is_empty() || !key.chars().all(bare) {
        None
    } else if value.is_empty() {
        let fault = Fault::new("expected a value, found nothing");
        Some((start..start, fault.hint(format!("write one after \"{key} =\", or leave the key out"))))
    } else if value.starts_with(is_text)
        && !value.contains(['"', '\'', '='])
        && DeValue::parse(value).is_err()
    {
        let fault = Fault::new("expected a value, found text without quotes");
        Some((start..start + value.len(), fault.hint(format!("write {key} = \"…\", in quotes"))))
    } else {
        None
    }
}

/// The line in which byte `offset` stands, without its end.
fn line_around(text: &str, offset: usize) -> Range<usize> {
    let offset = boundary(text, offset);
    let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |newline| offset + newline);
    start..end
}
