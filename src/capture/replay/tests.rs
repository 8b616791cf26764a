use std::path::PathBuf;

use super::*;

fn jpeg(shade: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
    encoder.encode(&[shade; 64], 8, 8, jpeg_encoder::ColorType::Luma).unwrap();
    bytes
}

/// A folder with these pictures, whose shades are their numbers.
struct Place(tempfile::TempDir);

impl Place {
    fn of(names: &[&str]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for (number, name) in names.iter().enumerate() {
            place.put(name, &jpeg(number as u8 * 9));
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn folder(&self, shuffle: bool) -> Folder {
        Folder::open(self.0.path(), shuffle).unwrap()
    }
}

/// The numbers of the next pictures.
fn next(reel: &mut dyn Reel, count: usize) -> Vec<u8> {
    let stop = Stop::default();
    let number = |bytes: &[u8]| (0..28).find(|number| jpeg(number * 9) == bytes).unwrap();
    (0..count).map(|_| number(reel.next(&stop).unwrap().unwrap().0)).collect()
}

#[test]
fn a_folder_is_played_in_the_order_in_which_people_count_and_again() {
    let place = Place::of(&["img1.jpg", "img2.JPG", "img9.jpeg", "img10.jpg", "img0100.jpg"]);
    assert_eq!(next(&mut place.folder(false), 12), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]);
}

#[test]
fn shuffled_each_round_has_every_picture_once_and_none_comes_twice_in_a_row() {
    let place = Place::of(&["a.jpg", "b.jpg", "c.jpg"]);
    let mut folder = place.folder(true);
    let mut orders = Vec::new();
    let mut last = u8::MAX;
    for _ in 0..200 {
        let round = next(&mut folder, 3);
        let mut sorted = round.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2]);
        assert_ne!(round[0], last);
        last = round[2];
        orders.push(round);
    }
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders.len(), 6, "every order comes in 200 rounds, but for one time in 10^15");
}

#[test]
fn a_folder_may_change_while_it_is_played() {
    let place = Place::of(&["1.jpg", "2.jpg", "3.jpg", "4.jpg"]);
    let mut folder = place.folder(false);
    assert_eq!(next(&mut folder, 1), [0]);
    fs::remove_file(place.path("2.jpg")).unwrap();
    let half = jpeg(9);
    place.put("3.jpg", &half[..half.len() / 2]);
    place.put("5.jpg", &jpeg(4 * 9));
    assert_eq!(next(&mut folder, 1), [3], "one is gone, and one only a part");
    assert_eq!(next(&mut folder, 3), [0, 3, 4], "a new one comes with the next round");
    place.put("3.jpg", &jpeg(2 * 9));
    assert_eq!(next(&mut folder, 4), [0, 2, 3, 4]);
}

#[test]
fn what_is_no_picture_is_left_out() {
    let place = Place::of(&["1.jpg", "2.jpg", ".3.jpg"]);
    place.put("notes.txt", b"notes");
    fs::create_dir(place.path("more")).unwrap();
    assert_eq!(place.folder(false).notice().unwrap(), "1 file in the folder is no .jpg and is left out");
    place.put("film.mp4", b"a film");
    fs::create_dir(place.path("folder.jpg")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, place.path("pipe.jpg"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    std::os::unix::fs::symlink("/nowhere", place.path("link.jpg")).unwrap();
    File::create(place.path("large.jpg")).unwrap().set_len(LARGEST_PICTURE as u64 + 1).unwrap();
    let mut folder = place.folder(false);
    assert_eq!(folder.notice().unwrap(), "2 files in the folder are no .jpg and are left out");
    assert_eq!(next(&mut folder, 4), [0, 1, 0, 1]);
}

#[test]
fn a_folder_without_a_picture_is_told_in_words() {
    let place = Place::of(&[]);
    let told = || place.folder(false).next(&Stop::default()).unwrap_err();
    assert_eq!(told().reason, format!("there is no picture in {}", place.0.path().display()));
    assert!(told().hint.is_some());
    place.put("1.jpg", b"GIF89a");
    let reason = format!("no picture in {} can be shown: 1.jpg: not a JPEG", place.0.path().display());
    assert_eq!(told().reason, reason);
    place.put("1.jpg", &jpeg(0));
    let mut folder = place.folder(false);
    assert_eq!(next(&mut folder, 2), [0, 0]);
    fs::remove_file(place.path("1.jpg")).unwrap();
    assert!(folder.next(&Stop::default()).is_err());
}

#[test]
fn a_film_is_played_to_its_end_and_again() {
    let place = Place::of(&[]);
    let half = &jpeg(9)[..100];
    place.put("film", &[&b"some head"[..], &jpeg(0), &jpeg(9), b"noise", &jpeg(18), half].concat());
    let mut film = Film::open(&place.path("film")).unwrap();
    assert_eq!(next(&mut film, 7), [0, 1, 2, 0, 1, 2, 0]);
    // The same name, another film.
    fs::remove_file(place.path("film")).unwrap();
    place.put("film", &[jpeg(27), jpeg(36)].concat());
    assert_eq!(next(&mut film, 5), [1, 2, 3, 4, 3]);
}

#[test]
fn a_film_is_not_read_into_memory() {
    let place = Place::of(&[]);
    place.put("film", &vec![jpeg(0); 5000].concat());
    let mut film = Film::open(&place.path("film")).unwrap();
    assert_eq!(next(&mut film, 1), [0]);
    assert!(io::Seek::stream_position(&mut film.file).unwrap() <= 64 << 10);
}

#[test]
fn a_film_without_pictures_is_told_in_words() {
    let place = Place::of(&[]);
    for bytes in [&b""[..], &[0; 200_000], &jpeg(0)[..50]] {
        place.put("film", bytes);
        let failure = Film::open(&place.path("film")).unwrap().next(&Stop::default()).unwrap_err();
        assert_eq!(failure.reason, format!("there is no whole JPEG in {}", place.path("film").display()));
        assert!(failure.hint.is_some_and(|hint| hint.contains("ffmpeg")));
    }
}

#[test]
fn a_stop_ends_the_search() {
    let place = Place::of(&["1.jpg"]);
    place.put("film", &[0; 1000]);
    let stop = Stop::default();
    stop.set();
    assert!(Film::open(&place.path("film")).unwrap().next(&stop).unwrap().is_none());
    assert!(place.folder(false).next(&stop).unwrap().is_none());
}
