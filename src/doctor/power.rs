//! Whether the machine gets enough current, and isn't too hot.

use std::fs;

use super::{Check, Surroundings, ask, read};

#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What `vcgencmd get_throttled` says.
    throttled: Option<String>,
    /// What the kernel's driver `rpi_volt` says: `1` once the voltage was too low.
    low_voltage: Option<String>,
    /// The hottest sensor of a processor, in thousandths of a degree Celsius.
    temperature: Option<i32>,
}

/// What the bits mean: while it is so, and 16 bits further up once it was so since the start. See
/// <https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd>.
const BITS: [(u32, &str, &str); 4] = [
    (0, "undervoltage", "use the power supply that was made for this Pi, and a short thick cable"),
    (1, "the processor's clock is capped", "better power or cooling"),
    (2, "throttled", "better power or cooling"),
    (3, "the soft temperature limit is reached", "better cooling: a heat sink or a fan"),
];

impl Facts {
    pub(super) fn look() -> Self {
        let entries =
            |folder: &str| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let low_voltage = entries("/sys/class/hwmon")
            .find(|folder| read(folder.join("name")).as_deref() == Some("rpi_volt"))
            .and_then(|folder| read(folder.join("in0_lcrit_alarm")));
        // "cpu-thermal" on a Pi, "x86_pkg_temp" on a PC.
        let of_processor = |kind: &str| kind.contains("cpu") || kind.contains("x86_pkg");
        let temperature = entries("/sys/class/thermal")
            .filter(|zone| read(zone.join("type")).is_some_and(|kind| of_processor(&kind)))
            .filter_map(|zone| read(zone.join("temp"))?.parse().ok())
            .max();
        Self { throttled: ask("vcgencmd", &["get_throttled"]), low_voltage, temperature }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        let mut checks: Vec<_> = self.power(around).into_iter().collect();
        checks.extend(self.temperature());
        checks
    }

    fn power(&self, around: &Surroundings) -> Option<Check> {
        let bits = self.throttled.as_deref().and_then(bits);
        match (bits, self.low_voltage.as_deref()) {
            (Some(bits), _) => Some(throttling(bits)),
            (None, Some("0")) => Some(Check::good("power", "the voltage was never too low since the start")),
            (None, Some(_)) => {
                let (_, name, advice) = BITS[0];
                Some(Check::warning("power", format!("{name} since the start, says the kernel"), advice))
            }
            (None, None) if around.pi => Some(Check::warning(
                "power",
                "can't be told: vcgencmd is missing, or may not be used",
                "sudo eyelid doctor; if that says the same: sudo apt install raspi-utils",
            )),
            (None, None) => None,
        }
    }

    fn temperature(&self) -> Option<Check> {
        /// Where a Pi begins to slow down.
        const HOT: i32 = 80_000;
        let temperature = self.temperature?;
        let what = format!("{:.1} °C", f64::from(temperature) / 1000.0);
        Some(match temperature < HOT {
            true => Check::good("temperature", what),
            false => Check::warning("temperature", what, BITS[3].2),
        })
    }
}

/// `throttled=0x50005`
fn bits(said: &str) -> Option<u32> {
    let value = said.trim().strip_prefix("throttled=")?;
    match value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    }
}

fn throttling(bits: u32) -> Check {
    let at = |shift: u32| BITS.iter().filter(move |(bit, ..)| bits >> (bit + shift) & 1 == 1);
    let names = |shift| at(shift).map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ");
    let (now, since) = (names(0), names(16));
    let advice = at(0).chain(at(16)).map(|(.., advice)| *advice).next().unwrap_or_default();
    match (now.is_empty(), since.is_empty()) {
        (true, true) => Check::good("power", "neither undervoltage nor throttling since the start (0x0)"),
        (true, false) => {
            Check::warning("power", format!("not now, but since the start: {since} ({bits:#x})"), advice)
        }
        (false, _) => Check::bad("power", format!("now: {now} ({bits:#x})"), advice),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::around},
        *,
    };

    fn power(throttled: Option<&str>, low_voltage: Option<&str>, pi: bool) -> Option<Check> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let facts = Facts { throttled: owned(throttled), low_voltage: owned(low_voltage), temperature: None };
        facts.judge(&around(pi, true, &[])).into_iter().find(|check| check.key == "power")
    }

    #[test]
    fn each_bit_is_put_into_words() {
        let told = |value| power(Some(value), None, true).map(|check| (check.verdict, check.what)).unwrap();
        assert_eq!(told("throttled=0x0").0, Verdict::Good);
        let (verdict, what) = told("throttled=0x50000");
        assert_eq!(
            (verdict, what.as_str()),
            (Verdict::Warning, "not now, but since the start: undervoltage, throttled (0x50000)")
        );
        let (verdict, what) = told("throttled=0x50005");
        assert_eq!((verdict, what.as_str()), (Verdict::Bad, "now: undervoltage, throttled (0x50005)"));
        assert_eq!(told("throttled=0x80008").0, Verdict::Bad);
        assert!(told("throttled=0xe0002").1.starts_with("now: the processor's clock is capped"));
        // A bit that nobody has explained.
        assert_eq!(told("throttled=0x100").0, Verdict::Good);
    }

    #[test]
    fn where_vcgencmd_says_nothing_the_kernel_is_asked() {
        let verdict = |throttled, low, pi| power(throttled, low, pi).map(|check| check.verdict);
        assert_eq!(verdict(None, Some("0"), true), Some(Verdict::Good));
        assert_eq!(verdict(None, Some("1"), true), Some(Verdict::Warning));
        assert_eq!(
            verdict(Some("error=1 error_msg=\"Command not registered\""), None, true),
            Some(Verdict::Warning)
        );
        assert_eq!(verdict(None, None, true), Some(Verdict::Warning));
        assert_eq!(verdict(None, None, false), None, "a PC");
    }

    #[test]
    fn the_temperature_is_told_where_there_is_a_sensor() {
        let told = |temperature| Facts { temperature, ..Facts::default() }.judge(&around(false, false, &[]));
        assert_eq!(told(Some(48_850)), [Check::good("temperature", "48.9 °C")]);
        assert_eq!(told(Some(81_000))[0].verdict, Verdict::Warning);
        assert_eq!(told(None), []);
    }
}
