//! The file with what has been set of a camera.

use std::{io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{config::CameraName, controls::Settings, state_folder};

/// Its name, in the folder `cameras/NAME` of the state folder.
pub(in crate::camera) const FILE_NAME: &str = "controls.json";

/// No file of ours is larger.
const LARGEST: u64 = 256 << 10;

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    controls: Settings,
}

/// Reads the file. One that can't be read or understood is logged and moved aside, and nothing is set then.
pub(super) fn load(camera: &CameraName, file: &Path) -> Settings {
    let what = match state_folder::read::<Kept>(file, LARGEST) {
        Ok(kept) => return kept.unwrap_or_default().controls,
        Err(error) => error,
    };
    let done = state_folder::put_aside(file);
    tracing::error!(
        %camera,
        "what was set of the camera can't be read from {}, so its defaults hold: {what}; {done}",
        file.display()
    );
    Settings::new()
}

/// Replaces the file, so that after a power cut it is the old one or the new one.
pub(super) fn write(file: &Path, settings: &Settings) -> io::Result<()> {
    state_folder::write(file, &Kept { controls: settings.clone() })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::{controls::Value, state_folder::with_ending};

    fn tank() -> CameraName {
        "tank".parse().unwrap()
    }

    fn settings() -> Settings {
        [
            ("a".to_owned(), Some(Value::Number(1.0))),
            ("b".to_owned(), None),
            ("c".to_owned(), Some("x".into())),
        ]
        .into()
    }

    #[test]
    fn what_was_written_is_read_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/cameras/tank").join(FILE_NAME);
        assert_eq!(load(&tank(), &file), Settings::new());
        write(&file, &settings()).unwrap();
        write(&file, &settings()).unwrap();
        assert_eq!(load(&tank(), &file), settings());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_such_file_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE_NAME);
        let large = "x".repeat(LARGEST as usize + 1);
        for text in ["", "{\"controls\":", "[]", "{\"controls\": {\"a\": [1]}}", "\0\0\0", &large] {
            fs::write(&file, text).unwrap();
            assert_eq!(load(&tank(), &file), Settings::new());
            assert!(!file.exists(), "{text:.20}");
            assert_eq!(fs::read_to_string(with_ending(&file, "bad")).unwrap(), text);
        }
    }

    #[test]
    fn where_nothing_can_be_written_the_old_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE_NAME);
        write(&file, &settings()).unwrap();
        // Writing to /dev/full fails as on a full disk, and a link takes the temporary file there.
        std::os::unix::fs::symlink("/dev/full", with_ending(&file, "part")).unwrap();
        assert_eq!(write(&file, &Settings::new()).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(load(&tank(), &file), settings());
        let below_a_file = file.join("cameras").join(FILE_NAME);
        assert!(write(&below_a_file, &settings()).is_err());
        assert_eq!(load(&tank(), &below_a_file), Settings::new());
    }
}
