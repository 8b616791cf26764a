//! What a request asks for behind the `?`. Keys that are not known are left alone: people and programs put
//! numbers there to get around caches.

use std::{borrow::Cow, fmt::Display, ops::RangeInclusive, time::Duration};

use http::StatusCode;

use super::error::{self, Refusal};
use crate::config::parse_duration;

/// The first value of a key, decoded.
pub(crate) fn value<'q>(query: Option<&'q str>, key: &str) -> Option<Cow<'q, str>> {
    let query = query?.as_bytes();
    form_urlencoded::parse(query).find(|(name, _)| name == key).map(|(_, value)| value)
}

/// How many pictures a second are wanted at most, in whatever way they are watched.
pub(crate) const RATES: RangeInclusive<f64> = 0.1..=60.0;

/// The time from one picture to the next that a rate means, if it is within the limits.
pub(crate) fn period(rate: f64) -> Option<Duration> {
    RATES.contains(&rate).then(|| Duration::from_secs_f64(1.0 / rate))
}

/// `?fps=`
///
/// # Errors
/// With the answer to a rate that is none.
pub(crate) fn fps(query: Option<&str>) -> Result<Option<Duration>, Refusal> {
    let Some(text) = value(query, "fps") else { return Ok(None) };
    let limits = format!("a number from {} to {}", RATES.start(), RATES.end());
    text.parse().ok().and_then(period).map(Some).ok_or_else(|| refused("fps", &text, limits))
}

/// `?max_age=`
///
/// # Errors
/// With the answer to a time that is none.
pub(crate) fn max_age(query: Option<&str>) -> Result<Option<Duration>, Refusal> {
    const OLDEST: Duration = Duration::from_secs(24 * 60 * 60);
    let Some(text) = value(query, "max_age") else { return Ok(None) };
    let limits = "a time from 0s to 24h with its unit, such as 500ms or 2s";
    parse_duration(&text)
        .filter(|age| *age <= OLDEST)
        .map(Some)
        .ok_or_else(|| refused("max_age", &text, limits))
}

/// `?width=`
///
/// # Errors
/// With the answer to a width that is none.
pub(crate) fn width(query: Option<&str>) -> Result<Option<u16>, Refusal> {
    const WIDTHS: RangeInclusive<u16> = 16..=8192;
    let Some(text) = value(query, "width") else { return Ok(None) };
    let limits = format!("an integer from {} to {}", WIDTHS.start(), WIDTHS.end());
    let width = text.parse().ok().filter(|width| WIDTHS.contains(width));
    width.map(Some).ok_or_else(|| refused("width", &text, limits))
}

/// `?since=`
///
/// # Errors
/// With the answer to a time that is none.
pub(crate) fn since(query: Option<&str>) -> Result<Option<u64>, Refusal> {
    let Some(text) = value(query, "since") else { return Ok(None) };
    let refuse = |_| refused("since", &text, "a time in Unix milliseconds, such as 1772366400000");
    text.parse().map(Some).map_err(refuse)
}

/// The answer to a value that can't be taken.
pub(crate) fn refused(key: &str, value: &str, limits: impl Display) -> Refusal {
    let shown: String = value.chars().take(40).collect();
    let hint = format!("{key} takes {limits}");
    Box::new(error::json(StatusCode::BAD_REQUEST, &format!("{key}={shown} can't be had"), hint.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_found_among_others() {
        let query = Some("x&max_age=1m+30s&fps=5&fps=6");
        assert_eq!(value(query, "max_age").as_deref(), Some("1m 30s"));
        assert_eq!(value(query, "fps").as_deref(), Some("5"));
        assert_eq!(value(query, "width"), None);
        assert_eq!(value(None, "fps"), None);
    }

    #[test]
    fn a_rate_is_a_time_between_pictures_and_a_wrong_one_is_told_its_limits() {
        assert_eq!(fps(Some("fps=4")).unwrap(), Some(Duration::from_millis(250)));
        assert_eq!(fps(Some("_=1")).unwrap(), None);
        for wrong in ["0", "0.09", "60.1", "-1", "nan", "inf", "", "five", "1e9"] {
            let refusal = fps(Some(&format!("fps={wrong}"))).unwrap_err();
            assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
            let body = String::from_utf8(refusal.into_body().to_vec()).unwrap();
            assert!(body.contains("0.1 to 60"), "{body}");
        }
    }

    #[test]
    fn a_width_is_an_integer_and_a_wrong_one_is_told_its_limits() {
        assert_eq!(width(Some("width=16")).unwrap(), Some(16));
        assert_eq!(width(Some("width=8192")).unwrap(), Some(8192));
        assert_eq!(width(Some("height=1")).unwrap(), None);
        for wrong in ["", "15", "8193", "65552", "-16", "320px", "3.2e2", "wide"] {
            let refusal = width(Some(&format!("width={wrong}"))).unwrap_err();
            let body = String::from_utf8(refusal.into_body().to_vec()).unwrap();
            assert!(body.contains("16 to 8192"), "{body}");
        }
    }

    #[test]
    fn an_age_is_a_time_with_its_unit_and_a_wrong_one_is_told_its_limits() {
        assert_eq!(max_age(Some("max_age=1m%2030s")).unwrap(), Some(Duration::from_secs(90)));
        assert_eq!(max_age(Some("max_age=0s")).unwrap(), Some(Duration::ZERO));
        assert_eq!(max_age(None).unwrap(), None);
        for wrong in ["", "2", "-1s", "25h", "soon", "1e3s"] {
            let refusal = max_age(Some(&format!("max_age={wrong}"))).unwrap_err();
            let body = String::from_utf8(refusal.into_body().to_vec()).unwrap();
            assert!(body.contains("0s to 24h"), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_query_panics(query in ".*") {
            let _ = fps(Some(&query));
            let _ = fps(Some(&format!("fps={query}")));
            let _ = width(Some(&format!("width={query}")));
            let _ = max_age(Some(&format!("max_age={query}")));
            let _ = since(Some(&format!("since={query}")));
        }
    }
}
