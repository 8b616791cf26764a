//! What to say about a key that does not exist.

use super::{
    keys::{CAMERA, GLOBAL},
    value::{Fault, nearest},
};

/// Words that other camera programs use, and ours.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("address", "listen"),
    ("bind", "listen"),
    ("port", "listen"),
    ("camera", "device"),
    ("id", "device"),
    ("fps", "interval"),
    ("framerate", "interval"),
    ("delay", "interval"),
    ("height", "size"),
    ("width", "size"),
    ("resolution", "size"),
    ("rotation", "rotate"),
    ("source", "kind"),
    ("type", "kind"),
    ("exec", "command"),
];

/// The fault of a key that does not exist in this section; "" is the top of the file.
pub(super) fn unknown_key(section: &str, name: &str) -> Fault {
    let fault = Fault::new("unknown key");
    let word = OTHER_WORDS.iter().find(|(other, _)| *other == name).map(|(_, ours)| *ours);
    let here = || places().filter(|place| place.0 == section).map(|place| place.1);
    let everywhere = || places().map(|place| place.1);

    let same = word.unwrap_or(name);
    if let Some(near) = here().find(|key| *key == same).or_else(|| nearest(name, here())) {
        return fault.hint(did_you_mean(section, near, ""));
    }
    let elsewhere = everywhere().find(|key| *key == same).or_else(|| nearest(name, everywhere()));
    let Some((section, near)) = elsewhere.and_then(|near| places().find(|place| place.1 == near)) else {
        return fault.hint("docs/configuration.md lists the keys");
    };
    let place = match section {
        "" => "at the top of the file, before the first [section]".to_owned(),
        section => format!("under {}", header(section)),
    };
    if near == name {
        fault.hint(format!("it belongs {place}"))
    } else {
        fault.hint(did_you_mean(section, near, &format!(", {place}")))
    }
}

/// A key's name as it may be printed: without control characters.
pub(super) fn printable(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.len() <= 60 && name.chars().all(bare) {
        name.to_owned()
    } else {
        format!("{:?}", name.chars().take(60).collect::<String>())
    }
}

fn did_you_mean(section: &str, near: &str, place: &str) -> String {
    let full = if section.is_empty() { near.to_owned() } else { format!("{section}.{near}") };
    let is_section = places().any(|place| place.0 == full);
    let near = if is_section { header(&full) } else { near.to_owned() };
    format!("did you mean {near}{place}?")
}

fn header(section: &str) -> String {
    if section == "camera" { "[[camera]]".to_owned() } else { format!("[{section}]") }
}

/// Every section and key with the section in which it stands.
fn places() -> impl Iterator<Item = (&'static str, &'static str)> {
    let global = GLOBAL.iter().flat_map(|key| match key.name.split_once('.') {
        Some((section, name)) => [Some(("", section)), Some((section, name))],
        None => [Some(("", key.name)), None],
    });
    let camera = CAMERA.iter().flat_map(|key| match key.name.split_once('.') {
        Some((section, name)) => [Some(("camera", section)), Some((within_camera(section), name))],
        None => [Some(("camera", key.name)), None],
    });
    global.flatten().chain([("", "camera")]).chain(camera.flatten())
}

fn within_camera(section: &str) -> &'static str {
    match section {
        "offline" => "camera.offline",
        "privacy" => "camera.privacy",
        other => unreachable!("[camera.{other}] has a name here"),
    }
}
