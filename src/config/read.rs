//! From the text of a file to the configuration, with everything that is wrong in it.

use std::{collections::HashMap, ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    CameraConfig, CameraName, Config, ConfigError, Kind, Place,
    error::line_number,
    keys::{CAMERA, GLOBAL, Key},
    syntax, together,
    unknown::{printable, unknown_key},
    value::{Fault, Value},
};

/// More errors than this help nobody.
const MOST_ERRORS: usize = 100;

/// Each has a process, a folder and a watch of its own.
const MOST_CAMERAS: usize = 64;

/// Reads the text of `file`. What has an error keeps its default in the configuration returned.
pub(super) fn read(file: &Path, text: &str) -> (Config, Vec<ConfigError>) {
    let (document, syntax_errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, names: HashMap::new(), findings: Vec::new() };
    let config = reader.config(document.get_ref());

    let mut findings = reader.findings;
    syntax::add(text, &syntax_errors, &mut findings);
    findings.sort_by_key(|finding| finding.span.start);
    let rest = findings.len().saturating_sub(MOST_ERRORS);
    findings.truncate(MOST_ERRORS);
    let mut errors: Vec<_> = findings
        .into_iter()
        .map(|Finding { span, key, fault, .. }| ConfigError {
            place: Place::new(file, text, span),
            key,
            message: fault.message,
            hint: fault.hint,
        })
        .collect();
    if rest > 0 {
        errors.push(ConfigError::file(file, format!("{rest} more errors")));
    }
    (config, errors)
}

/// Something wrong in the file.
pub(super) struct Finding {
    /// Where it stands.
    pub(super) span: Range<usize>,
    /// Where the entry begins that it is in: the key, or the header of the section.
    pub(super) entry: usize,
    pub(super) key: String,
    pub(super) fault: Fault,
}

struct Reader<'t> {
    text: &'t str,
    /// The cameras' names, each with the byte where the camera of that name begins.
    names: HashMap<CameraName, usize>,
    findings: Vec<Finding>,
}

/// Where a table is in the document.
struct Scope<'p> {
    /// What stands before its keys in messages: nothing, `log.`, `camera[1].`
    path: &'p str,
    /// What stands before them in the table of keys: nothing or `log.`
    section: &'p str,
    in_camera: bool,
}

impl Reader<'_> {
    fn config(&mut self, document: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        self.table(GLOBAL, &Scope { path: "", section: "", in_camera: false }, document, &mut config);
        if let Some((key, value)) = document.get_key_value("camera") {
            let cameras = self.cameras(key.span(), value);
            if !cameras.is_empty() {
                config.cameras = cameras;
            }
        }
        config
    }

    fn table<T>(&mut self, keys: &[Key<T>], scope: &Scope<'_>, table: &DeTable<'_>, target: &mut T) {
        for (name, value) in table {
            let entry = name.span();
            let name: &str = name.get_ref();
            let full = format!("{}{name}", scope.section);
            let path = format!("{}{}", scope.path, printable(name));
            if let Some(key) = keys.iter().find(|key| key.name == full) {
                if let Err(fault) = (key.read)(target, Value::File(value.get_ref())) {
                    self.add(value.span(), &entry, path, fault);
                }
            } else if keys.iter().any(|key| key.name.strip_prefix(&full).is_some_and(|s| s.starts_with('.')))
            {
                if let DeValue::Table(table) = value.get_ref() {
                    let [section, path] = [format!("{full}."), format!("{path}.")];
                    let scope = Scope { path: &path, section: &section, in_camera: scope.in_camera };
                    self.table(keys, &scope, table, target);
                } else {
                    let fault = Fault::expected("a section", &Value::File(value.get_ref()).found());
                    let camera = if scope.in_camera { "camera." } else { "" };
                    self.add(value.span(), &entry, path, fault.hint(format!("write [{camera}{full}]")));
                }
            } else if scope.in_camera || full != "camera" {
                let camera = if scope.in_camera { "camera." } else { "" };
                let section = format!("{camera}{}", scope.section);
                let fault = unknown_key(section.trim_end_matches('.'), name);
                self.add(entry.clone(), &entry, path, fault);
            }
        }
    }

    fn cameras(&mut self, key: Range<usize>, value: &Spanned<DeValue<'_>>) -> Vec<CameraConfig> {
        const EXPECTED: &str = "cameras, each under a line [[camera]]";
        let mut cameras = Vec::new();
        match value.get_ref() {
            DeValue::Array(items) if !items.is_empty() => {
                if let Some(surplus) = items.get(MOST_CAMERAS) {
                    let expected = format!("at most {MOST_CAMERAS} cameras");
                    let fault = Fault::expected(&expected, &items.len().to_string());
                    self.add(surplus.span(), &surplus.span(), "camera".into(), fault);
                }
                for (index, item) in items.iter().enumerate().take(MOST_CAMERAS) {
                    let path = if items.len() == 1 { "camera".into() } else { format!("camera[{index}]") };
                    if let DeValue::Table(table) = item.get_ref() {
                        let camera = self.camera(&path, item.span(), table);
                        self.name(&path, item, &camera.name);
                        cameras.push(camera);
                    } else {
                        let fault = Fault::expected(EXPECTED, &Value::File(item.get_ref()).found());
                        self.add(item.span(), &item.span(), path, fault);
                    }
                }
            }
            DeValue::Array(_) => {
                let fault = Fault::expected("at least one camera", "none").hint("leave this key out");
                self.add(value.span(), &key, "camera".into(), fault);
            }
            other => {
                let fault = Fault::expected(EXPECTED, &Value::File(other).found());
                self.add(key.clone(), &key, "camera".into(), fault.hint("write [[camera]], in two brackets"));
                if let DeValue::Table(table) = other {
                    self.camera("camera", key, table);
                }
            }
        }
        cameras
    }

    fn camera(&mut self, path: &str, header: Range<usize>, table: &DeTable<'_>) -> CameraConfig {
        let mut camera = CameraConfig::default();
        let before = self.findings.len();
        let scope = Scope { path: &format!("{path}."), section: "", in_camera: true };
        self.table(CAMERA, &scope, table, &mut camera);

        let faulty = |key: &str| self.findings[before..].iter().any(|f| f.key == format!("{path}.{key}"));
        let mut faults = Vec::new();
        for (kind, key, value, what) in [
            (Kind::Command, "command", &camera.command, "command line"),
            (Kind::Replay, "replay", &camera.replay, "path"),
        ] {
            if faulty("kind") || faulty(key) || (camera.kind == kind) != value.trim().is_empty() {
                continue;
            }
            let fault = if camera.kind == kind {
                Fault::new(format!("a camera of kind \"{kind}\" needs a {what}"))
                    .hint(format!("add {key} = \"…\", or take another kind"))
            } else {
                Fault::new(format!("a camera of kind \"{}\" takes no {what}", camera.kind))
                    .hint(format!("write kind = \"{kind}\", or leave the {key} out"))
            };
            faults.push((key, "kind", fault));
        }
        if camera.upload_token.is_some() && camera.kind != Kind::Push && !faulty("kind") {
            let fault = Fault::new(format!("a camera of kind \"{}\" takes no uploads", camera.kind));
            let hint = format!("write kind = \"{}\", or leave the upload_token out", Kind::Push);
            faults.push(("upload_token", "kind", fault.hint(hint)));
        }
        let instead = camera.picture.instead_of_metadata().filter(|_| camera.picture.keep_metadata);
        if let Some(key) = instead {
            let fault = Fault::new(format!("metadata can't be kept with {key}: the picture is encoded anew"));
            faults.push(("keep_metadata", key, fault.hint("leave one of the two out")));
        }
        faults.extend(together::faults(&camera));
        for (key, or, fault) in faults {
            let entry = find(table, key).or_else(|| find(table, or));
            let (span, entry) = entry.map_or((header.clone(), header.clone()), |(k, v)| (v.span(), k.span()));
            self.add(span, &entry, format!("{path}.{key}"), fault);
        }
        camera
    }

    /// Notes the camera's name, and an error where a camera before it has the same.
    fn name(&mut self, path: &str, camera: &Spanned<DeValue<'_>>, name: &CameraName) {
        let key = format!("{path}.name");
        if self.findings.iter().any(|finding| finding.key == key) {
            return;
        }
        let written = camera.get_ref().as_table().and_then(|table| table.get_key_value("name"));
        let (span, entry) = written.map_or((camera.span(), camera.span()), |(k, v)| (v.span(), k.span()));
        if let Some(first) = self.names.get(name) {
            let line = line_number(self.text, *first);
            let fault = Fault::new(format!("the camera on line {line} is named \"{name}\" already"));
            self.add(span, &entry, key, fault.hint("give each camera a name of its own"));
        } else {
            self.names.insert(name.clone(), span.start);
        }
    }

    fn add(&mut self, span: Range<usize>, entry: &Range<usize>, key: String, fault: Fault) {
        let span = fault.span.clone().unwrap_or(span);
        self.findings.push(Finding { span, entry: entry.start, key, fault });
    }
}

/// The entry of a key, in a section of the table where there is a dot in its name.
fn find<'t, 'i>(
    table: &'t DeTable<'i>,
    key: &str,
) -> Option<(&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>)> {
    match key.split_once('.') {
        None => table.get_key_value(key),
        Some((section, key)) => table.get(section)?.get_ref().as_table()?.get_key_value(key),
    }
}

#[cfg(test)]
mod tests;
