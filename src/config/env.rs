//! Settings from environment variables: `EYELID_` and the key in capitals, its dot an underscore.

use std::ffi::OsString;

use super::{
    Config, ConfigError, Place,
    keys::GLOBAL,
    value::{Value, nearest},
};

/// Begins the name of every variable of ours.
pub(super) const PREFIX: &str = "EYELID_";

/// Names the configuration file.
pub(super) const CONFIG: &str = "EYELID_CONFIG";

/// The variable that sets a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "_"))
}

/// Sets what variables set. An empty one counts as not set. Returns warnings about variables that look like
/// ours and are not.
pub(super) fn apply(
    env: &[(OsString, OsString)],
    config: &mut Config,
    errors: &mut Vec<ConfigError>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, value) in env {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if name == CONFIG || value.is_empty() {
            continue;
        }
        let Some(key) = GLOBAL.iter().find(|key| variable(key.name) == name) else {
            warnings.push(unknown(name));
            continue;
        };
        let error = |message, hint| ConfigError {
            place: Place::Variable(name.to_owned()),
            key: key.name.to_owned(),
            message,
            hint,
        };
        match value.to_str() {
            Some(text) => {
                if let Err(fault) = (key.read)(config, Value::Variable(text.trim())) {
                    errors.push(error(fault.message, fault.hint));
                }
            }
            None => errors.push(error("expected UTF-8 text".to_owned(), None)),
        }
    }
    warnings
}

fn unknown(name: &str) -> String {
    let known: Vec<_> = GLOBAL.iter().map(|key| key.name.replace('.', "_")).collect();
    let advice = if name.starts_with("EYELID_CAMERA") {
        "cameras are set in the configuration file".to_owned()
    } else if let Some(near) = nearest(&name[PREFIX.len()..], known.iter().map(String::as_str)) {
        format!("did you mean {}?", variable(near))
    } else {
        "there is no such setting".to_owned()
    };
    format!("{name} is not used: {advice}")
}
