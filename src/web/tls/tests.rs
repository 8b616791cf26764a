use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn its_own_certificate_is_kept_until_it_ends_soon() {
    let folder = tempfile::tempdir().unwrap();
    let file = own::file(folder.path());
    let names = names(&["pi.local", "localhost", "192.168.1.5", "::1"]);
    let now = SystemTime::now();
    assert!(own::kept(&file).is_none());
    let first = own::get(&file, &names, now).unwrap();
    assert_eq!(first.names, names);
    let days = first.ends.duration_since(now).unwrap().as_secs() / 86_400;
    assert!((31..=825).contains(&days), "Apple takes no more than 825 days: {days}");
    for later in [0, 1, 500] {
        assert!(own::get(&file, &names, now + later * DAY).unwrap().is(&first), "after {later} days");
    }
    let soon = first.ends - 20 * DAY;
    let second = own::get(&file, &names, soon).unwrap();
    assert!(!second.is(&first) && second.ends > first.ends);
    assert!(own::get(&file, &names, soon).unwrap().is(&second));
}

#[test]
fn its_own_certificate_is_made_anew_for_another_name_but_not_for_another_address() {
    let folder = tempfile::tempdir().unwrap();
    let file = own::file(folder.path());
    let now = SystemTime::now();
    let first = own::get(&file, &names(&["pi.local", "192.168.1.5"]), now).unwrap();
    assert!(own::get(&file, &names(&["pi.local", "192.168.1.99"]), now).unwrap().is(&first));
    let second = own::get(&file, &names(&["pi.local", "camera.example.org"]), now).unwrap();
    assert!(!second.is(&first));
}

#[test]
fn its_own_certificate_is_made_anew_where_the_file_is_no_good() {
    let folder = tempfile::tempdir().unwrap();
    let file = own::file(folder.path());
    let (names, now) = (names(&["pi.local"]), SystemTime::now());
    let first = own::get(&file, &names, now).unwrap();
    let whole = std::fs::read(&file).unwrap();
    for length in [0, 10, whole.len() / 2] {
        std::fs::write(&file, &whole[..length]).unwrap();
        let new = own::get(&file, &names, now).unwrap();
        assert!(!new.is(&first));
        assert!(own::get(&file, &names, now).unwrap().is(&new));
    }
}

#[test]
fn this_machines_names_can_be_in_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let all = own::names(&names(&["camera.example.org", "localhost"]));
    assert_eq!(all.iter().filter(|name| *name == "localhost").count(), 1);
    assert!(all.contains(&"camera.example.org".to_owned()) && all.contains(&"127.0.0.1".to_owned()));
    let made = own::get(&own::file(folder.path()), &all, SystemTime::now()).unwrap();
    assert_eq!(made.names, all);
}

#[test]
fn where_it_cannot_be_kept_that_is_said_with_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let source = Source::Own { file: own::file(&blocked), names: names(&["pi.local"]) };
    let error = format!("{:#}", source.get(SystemTime::now()).unwrap_err());
    assert!(error.starts_with("tls.self_signed: ") && error.contains("make the folder writable"), "{error}");
}

#[test]
fn a_fingerprint_is_as_browsers_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let pair = own::get(&own::file(folder.path()), &names(&["pi.local"]), SystemTime::now()).unwrap();
    let parts: Vec<_> = pair.fingerprint.split(':').collect();
    assert_eq!(parts.len(), 32);
    assert!(parts.iter().all(|part| part.len() == 2 && *part == part.to_ascii_uppercase()), "{parts:?}");
    assert!(pair.in_words().contains(&pair.last_day()) && pair.last_day().starts_with("20"));
}
