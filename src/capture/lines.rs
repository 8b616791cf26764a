//! What a program says on its standard error, line by line.

use std::io::{self, BufRead};

/// A line longer than this is told in parts.
const LONGEST: u64 = 4096;

/// Hands over each line of text until the input ends.
///
/// What a carriage return overwrites is left out: it is progress, which `ffmpeg` tells twice a second.
pub(super) fn for_each(mut input: impl BufRead, mut hear: impl FnMut(String)) {
    let mut line = Vec::new();
    loop {
        match io::Read::take(&mut input, LONGEST).read_until(b'\n', &mut line) {
            Ok(read) => {
                let last = line.trim_ascii_end().rsplit(|byte| *byte == b'\r').next().unwrap_or_default();
                let text: String =
                    String::from_utf8_lossy(last).chars().filter(|c| !c.is_control()).collect();
                // Text that no line feed ends yet may be progress.
                let whole = line.ends_with(b"\n") || !line.contains(&b'\r');
                if whole && !text.trim().is_empty() {
                    hear(text);
                }
                if read == 0 {
                    return;
                }
                line.clear();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(input: &[u8]) -> Vec<String> {
        let mut heard = Vec::new();
        for_each(input, |line| heard.push(line));
        heard
    }

    #[test]
    fn lines_are_told_and_progress_is_not() {
        assert_eq!(
            heard(b"one\n\n  \r\ntwo\r\nframe=1\rframe=2\rdone\nlast"),
            ["one", "two", "done", "last"]
        );
        assert_eq!(heard(b"\x1b[31mred\xFF\n"), ["[31mred\u{fffd}"]);
        assert_eq!(heard(b""), Vec::<String>::new());
    }

    #[test]
    fn endless_text_is_told_in_parts_and_endless_progress_not_at_all() {
        assert_eq!(heard(&[b'x'; 10_000]).iter().map(String::len).collect::<Vec<_>>(), [4096, 4096, 1808]);
        assert_eq!(heard(&b"frame=1\r".repeat(2_000)), Vec::<String>::new());
    }
}
