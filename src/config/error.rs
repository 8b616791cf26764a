//! What can be wrong with the configuration, where, and what to do about it.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

/// Everything that is wrong with the configuration, in the order of the file; never empty.
///
/// Displayed as a line for each error; with `{:#}` as that line and the place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

/// One thing that is wrong.
///
/// Displayed as `config.toml:12:12: camera.interval: expected …, found …; write …`, which quotes no command
/// line (it may hold a password). `{:#}` adds the line of the file, so it is for the owner's eyes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it stands.
    pub place: Place,
    /// The key with its dots, such as `camera[1].interval`; empty where no key is to blame.
    pub key: String,
    /// What is wrong: for a value what was expected and what was found.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// What is wrong with the file as a whole.
    pub(super) fn file(file: &Path, message: String) -> Self {
        Self { place: Place::File(file.to_owned()), key: String::new(), message, hint: None }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() && !matches!(self.place, Place::Variable(_)) {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        match &self.place {
            Place::Position { line, excerpt, .. } if f.alternate() => excerpt.write(f, *line),
            _ => Ok(()),
        }
    }
}

/// Where an error stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File(PathBuf),
    /// A place in the file.
    Position {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What stands there.
        excerpt: Excerpt,
    },
    /// An environment variable.
    Variable(String),
}

impl Place {
    /// The place of bytes `span` of a file with this text.
    pub(super) fn new(file: &Path, text: &str, span: Range<usize>) -> Self {
        let start = boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let column = text[line_start..start].chars().count();
        let marked = text[start..boundary(text, span.end).max(start)].lines().next();
        Self::Position {
            file: file.to_owned(),
            line: line_number(text, start),
            column: column + 1,
            excerpt: Excerpt::new(line, column, marked.map_or(0, |marked| marked.chars().count())),
        }
    }
}

/// The character boundary at `offset` or next before it.
pub(super) fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// The line, counted from 1, on which byte `offset` stands.
pub(super) fn line_number(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Position { file, line, column, .. } => write!(f, "{}:{line}:{column}", file.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// A line of the file with a mark under the place meant. At most 100 characters, none of them a control
/// character: the text goes to a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    text: String,
    before: usize,
    marked: usize,
}

impl Excerpt {
    const WIDTH: usize = 100;

    fn new(line: &str, column: usize, marked: usize) -> Self {
        let skipped = if column < Self::WIDTH * 3 / 4 { 0 } else { column - Self::WIDTH / 2 };
        let printable = |c: char| match c {
            '\t' => ' ',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        let text: String = line.chars().skip(skipped).take(Self::WIDTH).map(printable).collect();
        let before = column - skipped;
        let room = text.chars().count().saturating_sub(before);
        Self { text, before, marked: marked.min(room).max(1) }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, line: usize) -> fmt::Result {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let Self { text, before, marked } = self;
        write!(f, "\n {margin} |\n {number} | {text}\n {margin} | {:before$}{}", "", "^".repeat(*marked))
    }
}
