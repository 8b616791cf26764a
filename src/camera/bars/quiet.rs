//! Quiet hours by the local clock: it is quiet while that shows a time within them, also where it is put forward or
//! back.

use jiff::{Timestamp, ToSpan, Zoned, civil::Date, tz::AmbiguousZoned};

use crate::config::QuietHours;

/// Whether it is quiet then.
pub(super) fn is_quiet(hours: &[QuietHours], at: &Zoned) -> bool {
    let minute = at.hour().unsigned_abs() as u16 * 60 + at.minute().unsigned_abs() as u16;
    hours.iter().any(|hours| hours.contains(minute))
}

/// When quiet begins or ends next; nothing where it is always the same.
pub(super) fn next_change(hours: &[QuietHours], now: &Zoned) -> Option<Zoned> {
    let quiet = is_quiet(hours, now);
    let mut moments: Vec<Timestamp> = (0..=2)
        .filter_map(|days| now.date().checked_add(days.days()).ok())
        .flat_map(|date| hours.iter().flat_map(move |hours| [(date, hours.from), (date, hours.to)]))
        .flat_map(|(date, minute)| shown(now, date, minute))
        // Where the clock is put forward or back.
        .chain(now.time_zone().following(now.timestamp()).take(2).map(|transition| transition.timestamp()))
        .filter(|moment| *moment > now.timestamp())
        .collect();
    moments.sort_unstable();
    let moments = moments.into_iter().map(|moment| moment.to_zoned(now.time_zone().clone()));
    moments.into_iter().find(|moment| is_quiet(hours, moment) != quiet)
}

/// When the clock shows that minute of a day: once, or twice where it is put back. Where it jumps over it, times before
/// and after.
fn shown(now: &Zoned, date: Date, minute: u16) -> impl Iterator<Item = Timestamp> {
    let (date, minute) = match minute {
        1440 => (date.tomorrow().ok(), 0),
        minute => (Some(date), minute),
    };
    let time = date.map(|date| date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0));
    let both = |zoned: AmbiguousZoned| [zoned.clone().earlier().ok(), zoned.later().ok()];
    let both = time.map(|time| both(now.time_zone().clone().into_ambiguous_zoned(time)));
    both.into_iter().flatten().flatten().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, tz::TimeZone};
    use proptest::prelude::*;

    use super::*;

    fn hours(list: &[&str]) -> Vec<QuietHours> {
        list.iter().map(|hours| hours.parse().unwrap()).collect()
    }

    /// The next three changes, as the clock there shows them.
    fn changes(list: &[&str], from: &str) -> Vec<String> {
        let (hours, mut now) = (hours(list), from.parse::<Zoned>().unwrap());
        let next = || {
            now = next_change(&hours, &now)?;
            Some(format!("{}{}", now.strftime("%d. %H:%M %:z "), is_quiet(&hours, &now)))
        };
        std::iter::from_fn(next).take(3).collect()
    }

    #[test]
    fn quiet_begins_and_ends_each_day_also_over_midnight() {
        let night = changes(&["22:00-06:30"], "2026-06-01T12:00[Europe/Berlin]");
        assert_eq!(night, ["01. 22:00 +02:00 true", "02. 06:30 +02:00 false", "02. 22:00 +02:00 true"]);
        let both = changes(&["08:00-12:00", "11:00-24:00", "00:00-01:00"], "2026-06-01T09:00[UTC]");
        assert_eq!(both, ["02. 01:00 +00:00 false", "02. 08:00 +00:00 true", "03. 01:00 +00:00 false"]);
        assert_eq!(changes(&["00:00-24:00"], "2026-06-01T09:00[UTC]"), [""; 0]);
        assert_eq!(changes(&[], "2026-06-01T09:00[UTC]"), [""; 0]);
    }

    #[test]
    fn quiet_goes_by_what_the_clock_shows_when_it_is_put_forward_or_back() {
        // 2:00 to 3:00 is left out.
        let spring = "2026-03-29T00:00[Europe/Berlin]";
        let over = changes(&["01:00-04:00"], spring);
        assert_eq!(over, ["29. 01:00 +01:00 true", "29. 04:00 +02:00 false", "30. 01:00 +02:00 true"]);
        let into = changes(&["01:00-02:30"], spring);
        assert_eq!(into, ["29. 01:00 +01:00 true", "29. 03:00 +02:00 false", "30. 01:00 +02:00 true"]);
        let out_of = changes(&["02:30-05:00"], spring);
        assert_eq!(out_of, ["29. 03:00 +02:00 true", "29. 05:00 +02:00 false", "30. 02:30 +02:00 true"]);
        let within = changes(&["02:10-02:50"], spring);
        assert_eq!(within, ["30. 02:10 +02:00 true", "30. 02:50 +02:00 false", "31. 02:10 +02:00 true"]);
        // 2:00 to 3:00 comes twice.
        let autumn = "2026-10-25T00:00[Europe/Berlin]";
        let over = changes(&["01:00-04:00"], autumn);
        assert_eq!(over, ["25. 01:00 +02:00 true", "25. 04:00 +01:00 false", "26. 01:00 +01:00 true"]);
        let into = changes(&["01:00-02:30"], autumn);
        assert_eq!(into, ["25. 01:00 +02:00 true", "25. 02:30 +02:00 false", "25. 02:00 +01:00 true"]);
    }

    fn zones() -> impl Strategy<Value = TimeZone> {
        // Lord Howe's clock is put forward by half an hour, Kathmandu is a quarter off.
        const NAMES: [&str; 5] =
            ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"];
        proptest::sample::select(&NAMES[..]).prop_map(|name| TimeZone::get(name).unwrap())
    }

    proptest! {
        #[test]
        fn the_next_change_is_that_which_who_looks_each_minute_sees(
            zone in zones(),
            minute in 0..2 * 366 * 1440i64,
            list in prop::collection::vec((0u16..1440, 0u16..=1440), 1..4),
        ) {
            let hours: Vec<_> = list
                .into_iter()
                .filter(|(from, to)| from != to)
                .map(|(from, to)| QuietHours { from, to })
                .collect();
            let now = (Timestamp::from_second(1_767_225_600 + minute * 60).unwrap()).to_zoned(zone);
            let quiet = is_quiet(&hours, &now);
            let seen = (1..=2 * 1440)
                .map(|minutes| &now + SignedDuration::from_mins(minutes))
                .find(|at| is_quiet(&hours, at) != quiet);
            prop_assert_eq!(next_change(&hours, &now), seen);
        }
    }
}
