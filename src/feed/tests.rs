use super::*;

fn jpeg() -> Bytes {
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
    encoder.encode(&[7; 64], 8, 8, jpeg_encoder::ColorType::Luma).unwrap();
    jpeg.into()
}

#[test]
fn a_feed_that_is_shut_forgets_and_takes_nothing_that_was_read_before() {
    let feed = Feed::new();
    let publish = || feed.publish(jpeg(), SystemTime::now()).unwrap().map(|frame| frame.id);
    let newest = || feed.newest().map(|frame| frame.id);
    let first = publish().unwrap();
    let before = feed.era();
    feed.shut();
    assert_eq!(newest(), None);
    assert!(feed.get(first).is_none());
    assert_eq!(publish(), None);
    let shut = feed.era();
    feed.shut();
    feed.open();
    feed.open();
    for era in [before, shut] {
        assert!(feed.publish_from(era, jpeg(), SystemTime::now()).unwrap().is_none());
    }
    assert_eq!(newest(), None);
    let second = publish().unwrap();
    assert!(second > first);
    assert_eq!(newest(), Some(second));
}

fn watched(feed: &Feed) -> (Vec<FrameId>, watch::Receiver<Option<Arc<Frame>>>) {
    (Vec::new(), feed.subscribe())
}

#[test]
fn behind_a_shut_gate_a_picture_arrives_and_is_not_on_the_screen() {
    let feed = Feed::new();
    let (mut seen, mut screen) = watched(&feed);
    let mut arrivals = feed.arrivals();
    feed.gate(|gate| gate.programme = true);
    let hidden = feed.publish(jpeg(), SystemTime::now()).unwrap().unwrap();
    assert_eq!(arrivals.borrow_and_update().as_ref().unwrap().id, hidden.id);
    assert!(feed.newest().is_none() && feed.get(hidden.id).is_none());
    assert!(!screen.has_changed().unwrap());

    let long_ago = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let shown = feed.show(feed.era(), jpeg(), long_ago, true).unwrap().unwrap();
    assert!(shown.recorded && shown.taken == long_ago && shown.id > hidden.id, "the id is of the moment");
    seen.push(screen.borrow_and_update().as_ref().unwrap().id);
    assert_eq!(feed.get(shown.id).unwrap().id, shown.id);
    assert!(arrivals.has_changed().is_ok_and(|changed| !changed), "what is shown has not arrived");

    feed.back_to_live();
    let back = screen.borrow_and_update().clone().unwrap();
    assert!(
        !back.recorded && back.taken == hidden.taken && back.id > shown.id,
        "what arrived last comes at once"
    );
    seen.push(back.id);
    let next = feed.publish(jpeg(), SystemTime::now()).unwrap().unwrap();
    assert_eq!(screen.borrow_and_update().as_ref().unwrap().id, next.id);
    seen.push(next.id);
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
}

#[test]
fn a_gate_is_open_when_nobody_holds_it_shut() {
    let feed = Feed::new();
    let publish = || feed.publish(jpeg(), SystemTime::now()).unwrap();
    feed.gate(|gate| (gate.programme, gate.delay) = (true, true));
    publish();
    feed.back_to_live();
    assert!(feed.newest().is_none(), "there is the delay");
    feed.gate(|gate| gate.delay = false);
    assert!(feed.newest().is_none(), "only the end of a loop brings back what came before");
    publish();
    assert!(feed.newest().is_some());
}

#[test]
fn what_comes_while_the_camera_is_blocked_has_not_arrived() {
    let feed = Feed::new();
    let arrivals = feed.arrivals();
    feed.gate(|gate| gate.blocked = true);
    assert!(feed.publish(jpeg(), SystemTime::now()).unwrap().is_none());
    feed.gate(|gate| gate.blocked = false);
    assert!(feed.newest().is_none() && !arrivals.has_changed().unwrap());
    feed.publish(jpeg(), SystemTime::now()).unwrap();
    assert!(feed.newest().is_some() && arrivals.has_changed().unwrap());
}

#[test]
fn a_picture_of_a_camera_that_has_stopped_never_comes_to_the_screen_later() {
    let feed = Feed::new();
    feed.gate(|gate| gate.programme = true);
    feed.publish(jpeg(), SystemTime::now()).unwrap();
    feed.rest();
    feed.back_to_live();
    assert!(feed.newest().is_none());
}

#[test]
fn what_was_taken_before_the_feed_was_shut_is_not_shown_after_it() {
    let feed = Feed::new();
    let before = feed.era();
    feed.gate(|gate| gate.programme = true);
    feed.publish(jpeg(), SystemTime::now()).unwrap();
    feed.shut();
    assert!(feed.show(feed.era(), jpeg(), SystemTime::now(), true).unwrap().is_none());
    feed.open();
    assert!(feed.show(before, jpeg(), SystemTime::now(), false).unwrap().is_none());
    assert!(feed.aside(before, jpeg(), SystemTime::now(), false).unwrap().is_none());
    feed.back_to_live();
    assert!(feed.newest().is_none());
}

#[test]
fn a_picture_for_one_viewer_alone_is_on_no_screen_and_its_id_is_its_own() {
    let feed = Feed::new();
    let aside = feed.aside(feed.era(), jpeg(), SystemTime::now(), true).unwrap().unwrap();
    assert!(feed.newest().is_none() && feed.get(aside.id).is_none());
    let next = feed.show(feed.era(), jpeg(), SystemTime::now(), true).unwrap().unwrap();
    assert!(next.id > aside.id);
}
