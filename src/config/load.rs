//! Finds the configuration and puts it together: flag over environment over file over default.

use std::{
    ffi::OsString,
    fs::File,
    io::{ErrorKind, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{Config, ConfigError, ConfigErrors, LogFormat, LogLevel, Place, env, read};

/// A longer file is no configuration; `/dev/zero` would never end.
const MOST_BYTES: u64 = 256 * 1024;

/// Where to look for the configuration.
#[derive(Debug, Clone)]
pub struct Request {
    /// The file of `--config`.
    pub file: Option<PathBuf>,
    /// The environment; variables that do not begin with `EYELID_` are of no account.
    pub env: Vec<(OsString, OsString)>,
    /// The files to try where none is named.
    pub usual: Vec<PathBuf>,
    /// What the command line sets.
    pub overrides: Overrides,
}

impl Request {
    /// A request with the part of this process's environment that begins with `EYELID_`.
    pub fn from_process(file: Option<PathBuf>, overrides: Overrides) -> Self {
        let is_ours = |name: &OsString| name.as_encoded_bytes().starts_with(env::PREFIX.as_bytes());
        let env = std::env::vars_os().filter(|(name, _)| is_ours(name)).collect();
        Self { file, env, overrides, ..Self::default() }
    }
}

impl Default for Request {
    /// Looks in `./config.toml` and `/etc/eyelid/config.toml`, with no environment.
    fn default() -> Self {
        Self {
            file: None,
            env: Vec::new(),
            usual: vec!["config.toml".into(), "/etc/eyelid/config.toml".into()],
            overrides: Overrides::default(),
        }
    }
}

/// Settings of the command line.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// In place of `listen`.
    pub listen: Option<SocketAddr>,
    /// In place of `log.level`.
    pub log_level: Option<LogLevel>,
    /// In place of `log.format`.
    pub log_format: Option<LogFormat>,
}

/// A configuration without errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration in force.
    pub config: Config,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What the log should say: environment variables that have no effect.
    pub warnings: Vec<String>,
}

/// Which file is the configuration, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `--config` names it.
    Flag(PathBuf),
    /// `$EYELID_CONFIG` names it.
    Variable(PathBuf),
    /// It lies in a usual place.
    Usual(PathBuf),
    /// There is none.
    Defaults,
}

impl Source {
    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Flag(path) | Self::Variable(path) | Self::Usual(path) => Some(path),
            Self::Defaults => None,
        }
    }
}

/// Says which file [`load`] reads. A file that is named need not exist.
pub fn locate(request: &Request) -> Source {
    let variable = request.env.iter().find(|(name, value)| name == env::CONFIG && !value.is_empty());
    if let Some(path) = &request.file {
        Source::Flag(path.clone())
    } else if let Some((_, path)) = variable {
        Source::Variable(path.into())
    } else {
        // What can't be looked at, or is a link to nothing, is taken, so that reading it says what is wrong.
        let absent = |kind| matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory);
        let is_there = |path: &&PathBuf| !path.symlink_metadata().is_err_and(|error| absent(error.kind()));
        request.usual.iter().find(is_there).cloned().map_or(Source::Defaults, Source::Usual)
    }
}

/// Loads the configuration.
///
/// # Errors
///
/// Everything that is wrong in the file and the environment, or that the file can't be read.
pub fn load(request: &Request) -> Result<Loaded, ConfigErrors> {
    let source = locate(request);
    let (mut config, mut errors) = match source.path().map(|path| (path, contents(path, &source))) {
        None => (Config::default(), Vec::new()),
        Some((path, Ok(text))) => read::read(path, &text),
        Some((_, Err(errors))) => (Config::default(), errors.0),
    };
    let warnings = env::apply(&request.env, &mut config, &mut errors);
    let Overrides { listen, log_level, log_format } = &request.overrides;
    config.listen = listen.unwrap_or(config.listen);
    config.log.level = log_level.unwrap_or(config.log.level);
    config.log.format = log_format.unwrap_or(config.log.format);
    if let Some((key, message, hint)) = config.tls.fault()
        && errors.iter().all(|error| !error.key.starts_with("tls."))
    {
        // The other key may be in the file or in the environment.
        let place = match source.path() {
            Some(path) => Place::File(path.to_owned()),
            None => Place::Variable(env::variable(key)),
        };
        errors.push(ConfigError { place, key: key.into(), message: message.into(), hint: Some(hint.into()) });
    }
    if errors.is_empty() {
        Ok(Loaded { config, file: source.path().map(Path::to_owned), warnings })
    } else {
        Err(ConfigErrors(errors))
    }
}

fn contents(path: &Path, source: &Source) -> Result<String, ConfigErrors> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(|error| {
        let hint = match source {
            Source::Flag(_) => "--config names this file".to_owned(),
            Source::Variable(_) => format!("${} names this file", env::CONFIG),
            Source::Usual(_) | Source::Defaults => {
                "make it readable, or name another with --config".to_owned()
            }
        };
        let error = ConfigError::file(path, format!("can't read the configuration: {error}"));
        ConfigErrors::from(ConfigError { hint: Some(hint), ..error })
    })?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("expected a configuration of at most {MOST_BYTES} bytes, found more");
        return Err(ConfigError::file(path, message).into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        let text = String::from_utf8_lossy(error.as_bytes());
        ConfigError {
            place: Place::new(path, &text, at..at + 1),
            key: String::new(),
            message: format!(
                "expected UTF-8 text, found the byte 0x{byte:02x} (byte {} of the file)",
                at + 1
            ),
            hint: Some("save the file as UTF-8".to_owned()),
        }
        .into()
    })
}

#[cfg(test)]
mod tests;
