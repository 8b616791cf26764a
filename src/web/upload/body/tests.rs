use std::time::Duration;

use futures_util::FutureExt;
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn jpeg() -> Vec<u8> {
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    encoder.encode(&[90; 256], 16, 16, jpeg_encoder::ColorType::Luma).unwrap();
    jpeg
}

fn form(content_type: &str) -> Option<Form> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
    Form::of(&headers)
}

/// A part of a form, as the sketch of old writes it.
fn part(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--LMR\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"esp32-cam.jpg\"\r\n\
         Content-Type: image/jpeg\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

/// What becomes of a form with such parts.
fn of_form(parts: &[Vec<u8>], end: &str) -> Result<Bytes, Refused> {
    let body = [parts.concat(), end.into()].concat();
    picture(Form::Multipart("LMR".into()), body)
}

fn picture(form: Form, body: Vec<u8>) -> Result<Bytes, Refused> {
    form.picture(body.into()).now_or_never().expect("all of it is there")
}

#[test]
fn a_body_is_what_its_head_says() {
    assert_eq!(form("image/jpeg"), Some(Form::Picture));
    assert_eq!(form("Image/JPEG; charset=binary"), Some(Form::Picture));
    assert_eq!(form("multipart/form-data; boundary=LMR"), Some(Form::Multipart("LMR".into())));
    assert_eq!(form("multipart/form-data; boundary=\"L M\""), Some(Form::Multipart("L M".into())));
    for other in [
        "",
        "image/png",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "text/plain; x=image/jpeg",
    ] {
        assert_eq!(form(other), None, "{other}");
    }
    assert_eq!(Form::of(&HeaderMap::new()), None);
}

#[test]
fn the_picture_of_a_form_is_found_among_other_fields() {
    let jpeg = jpeg();
    let end = "--LMR--\r\n";
    assert_eq!(of_form(&[part("img", &jpeg)], end).unwrap(), jpeg);
    assert_eq!(of_form(&[part("img", &jpeg)], "--LMR--").unwrap(), jpeg);
    assert_eq!(of_form(&[part("name", b"x"), part("img", &jpeg), part("time", b"now")], end).unwrap(), jpeg);
}

#[test]
fn a_form_without_one_whole_picture_is_told_what_is_wrong() {
    let jpeg = jpeg();
    let end = "--LMR--\r\n";
    for (outcome, told) in [
        (of_form(&[], end), "no field img"),
        (of_form(&[part("image", &jpeg)], end), "no field img"),
        (of_form(&[part("img", &jpeg), part("img", &jpeg)], end), "more than one field img"),
        (of_form(&[part("img", &jpeg)], ""), "the form is broken"),
        (of_form(&[], ""), "the form is broken"),
        (of_form(&[part("img", &jpeg)], "--RML--\r\n"), "the form is broken"),
    ] {
        let refused = outcome.unwrap_err();
        assert_eq!(refused.status(), 422, "{refused}");
        assert!(refused.to_string().contains(told), "{refused}");
    }
}

#[test]
fn a_picture_may_have_2_mib_and_16_mp_and_no_more() {
    let most = LARGEST_PICTURE as u64;
    assert!(Form::Picture.check_length(most).is_ok());
    assert_eq!(Form::Picture.check_length(most + 1).unwrap_err().status(), 413);
    let form = Form::Multipart("LMR".into());
    assert!(form.check_length(most + 1000).is_ok());
    assert_eq!(form.check_length(most + 20_000).unwrap_err().status(), 413);
    let large = of_form(&[part("img", &vec![0; LARGEST_PICTURE + 1])], "--LMR--\r\n");
    assert_eq!(large.unwrap_err().status(), 413);
    assert_eq!(
        of_form(&[part("img", &vec![0; LARGEST_PICTURE])], "--LMR--\r\n").unwrap().len(),
        LARGEST_PICTURE
    );

    let sized = |width: u16, height: u16| {
        let mut jpeg = jpeg();
        let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
        jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        jpeg
    };
    for (width, height) in [(4096, 4096), (4656, 3496), (65535, 256)] {
        assert!(check(&sized(width, height)).is_ok(), "{width}x{height}");
    }
    for (width, height) in [(4097, 4096), (65535, 65535)] {
        let refused = check(&sized(width, height)).unwrap_err();
        assert_eq!(refused.status(), 422);
        assert!(refused.to_string().contains(&format!("{width}x{height}")), "{refused}");
    }
}

#[test]
fn what_is_no_whole_picture_is_told_how_much_of_it_came() {
    let jpeg = jpeg();
    let torn = &jpeg[..jpeg.len() - 2];
    for (bytes, told) in [(&b""[..], "(0 bytes came)"), (b"GIF89a", "not a JPEG"), (torn, "cut off")] {
        let refused = check(bytes).unwrap_err();
        assert_eq!(refused.status(), 422);
        assert!(refused.to_string().contains(told), "{refused}");
    }
    assert!(check(&jpeg).is_ok());
}

/// Pieces of 20 kB, one a second, as from an ESP32 at the edge of its network.
fn slowly(seconds: u64) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(0, move |sent| async move {
        if sent == seconds {
            return None;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok(Bytes::from(vec![0; 20_000])), sent + 1))
    })
}

#[tokio::test(start_paused = true)]
async fn a_slow_sender_has_10_seconds() {
    let deadline = || Instant::now() + LONGEST;
    assert_eq!(read(slowly(8), deadline()).await.unwrap().len(), 160_000);
    let (start, refused) = (Instant::now(), read(slowly(60), deadline()).await.unwrap_err());
    assert_eq!((start.elapsed().as_secs(), refused.status()), (10, 408));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_picture() {
    let broken = stream::iter([Ok(Bytes::from_static(b"\xFF\xD8")), Err(())]);
    assert_eq!(read(broken, Instant::now() + LONGEST).await.unwrap_err().status(), 400);
}

proptest! {
    #[test]
    fn no_form_panics(boundary in "[ -~]{0,20}", body in proptest::collection::vec(any::<u8>(), 0..500)) {
        let boundary = boundary.replace(['\r', '\n'], "");
        for form in form(&format!("multipart/form-data; boundary={boundary}")).into_iter().chain([Form::Multipart("LMR".into())]) {
            let _ = picture(form, body.clone()).map(|picture| check(&picture));
        }
    }

    #[test]
    fn no_mutation_of_a_form_panics(at in any::<prop::sample::Index>(), length in 0..40_usize, piece in ".{0,8}") {
        let mut body = [part("img", &jpeg()), part("x", b"y"), b"--LMR--\r\n".to_vec()].concat();
        let at = at.index(body.len());
        body.splice(at..(at + length).min(body.len()), piece.bytes());
        if let Ok(picture) = picture(Form::Multipart("LMR".into()), body) {
            let _ = check(&picture);
        }
    }
}
