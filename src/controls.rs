//! What a camera lets one set, as data: brightness, exposure, focus; and the check of what somebody wants to set.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Something of a camera that can be set while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Its name on the wire, the driver's own in snake case: "brightness", "exposure_time".
    pub id: String,
    /// Its name for people: "Exposure time".
    pub name: String,
    /// Where it stands on the page.
    pub group: Group,
    /// What it takes.
    #[serde(flatten)]
    pub kind: ControlKind,
    /// The value that it has unless somebody sets it. None for a button, and where the driver knows none.
    #[serde(default)]
    pub default: Option<Value>,
    /// The value that it has. None for a button, and where the camera does not tell.
    #[serde(default)]
    pub value: Option<Value>,
    /// Only to be looked at.
    #[serde(default)]
    pub read_only: bool,
    /// Of no effect for now, as exposure time is while exposure is automatic. It can be set all the same.
    #[serde(default)]
    pub inactive: bool,
}

/// What controls are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// How the picture looks: brightness, contrast, sharpness, zoom.
    Image,
    /// How much light there is: exposure, gain.
    Exposure,
    /// Colours: saturation, hue, white balance.
    Color,
    /// Focus.
    Focus,
    /// The rest.
    Other,
}

/// What a control takes; `type` on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ControlKind {
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
        /// From one to the next, counted from `min`; at least 1.
        step: i64,
    },
    /// A number.
    Number {
        /// The smallest. It and the others are finite.
        min: f64,
        /// The largest.
        max: f64,
        /// From one to the next on a slider. Numbers in between can be set as well.
        step: f64,
    },
    /// One of several.
    Choice {
        /// What there is to choose from.
        choices: Vec<Choice>,
    },
    /// Something to do, such as to focus once. It takes `true` and has no value.
    Button,
}

/// One of what there is to choose from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// What is set.
    pub value: Value,
    /// Its name for people.
    pub name: String,
}

impl Choice {
    /// A choice with its name.
    pub fn new(value: impl Into<Value>, name: impl Into<String>) -> Self {
        Self { value: value.into(), name: name.into() }
    }
}

/// The value of a control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Of a boolean control, and the press of a button.
    Boolean(bool),
    /// Of an integer control, and of choices that drivers number.
    Integer(i64),
    /// Of a number control.
    Number(f64),
    /// Of a choice.
    Text(String),
}

/// What to set: a value for each control, or none for its default.
pub type Settings = BTreeMap<String, Option<Value>>;

/// Why something can't be set, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Refusal {
    /// What is wrong: "brightness can't be 300".
    pub problem: String,
    /// What would be right: "it takes a whole number from -100 to 100".
    pub hint: String,
}

impl Control {
    /// What it becomes with `asked`, in its own type: 1 for a number control is 1.0.
    ///
    /// # Errors
    /// When it does not take this, with what it takes.
    pub fn check(&self, asked: &Value) -> Result<Value, Refusal> {
        if self.read_only {
            return Err(self.refusal("can't be set", "the camera only shows it"));
        }
        let fitting = match (&self.kind, asked) {
            (ControlKind::Boolean, Value::Boolean(_)) | (ControlKind::Button, Value::Boolean(true)) => {
                Some(asked.clone())
            }
            (ControlKind::Integer { min, max, step }, asked) => asked
                .whole()
                .filter(|whole| (*min..=*max).contains(whole))
                .filter(|whole| (i128::from(*whole) - i128::from(*min)) % i128::from((*step).max(1)) == 0)
                .map(Value::Integer),
            (ControlKind::Number { min, max, .. }, asked) => {
                asked.number().filter(|number| (*min..=*max).contains(number)).map(Value::Number)
            }
            (ControlKind::Choice { choices }, asked) => choices
                .iter()
                .map(|choice| &choice.value)
                .find(|value| *value == asked || (value.whole().is_some() && value.whole() == asked.whole()))
                .cloned(),
            _ => None,
        };
        fitting.ok_or_else(|| self.refusal(&format!("can't be {asked}"), &format!("it takes {}", self.kind)))
    }

    /// What it becomes with a value, or with its default where none is given; none for a button that nobody
    /// presses.
    ///
    /// # Errors
    /// When it does not take this, or knows no default.
    pub fn resolve(&self, asked: Option<&Value>) -> Result<Option<Value>, Refusal> {
        match asked {
            Some(asked) => self.check(asked).map(Some),
            None if self.kind == ControlKind::Button => Ok(None),
            None if self.read_only => Err(self.refusal("can't be set", "the camera only shows it")),
            None => match &self.default {
                Some(default) => Ok(Some(default.clone())),
                None => Err(self.refusal(
                    "has no default that the camera tells",
                    &format!("set it to what you want: it takes {}", self.kind),
                )),
            },
        }
    }

    fn refusal(&self, what: &str, hint: &str) -> Refusal {
        Refusal { problem: format!("{} {what}", self.id), hint: hint.to_owned() }
    }
}

/// The control of this id.
///
/// # Errors
/// When there is none, with the one that may have been meant.
pub fn find<'a>(controls: &'a [Control], id: &str) -> Result<&'a Control, Refusal> {
    controls.iter().find(|control| control.id == id).ok_or_else(|| {
        let likeness = |control: &&Control| strsim::jaro_winkler(&control.id, id);
        let nearest = controls.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let hint = match nearest.filter(|control| likeness(control) > 0.8) {
            Some(control) => format!("did you mean {}?", control.id),
            None if controls.is_empty() => "it has no controls at all".to_owned(),
            None => {
                let all: Vec<_> = controls.iter().map(|control| control.id.as_str()).collect();
                format!("it has {}", all.join(", "))
            }
        };
        Refusal { problem: format!("the camera has no control {id:?}"), hint }
    })
}

impl Value {
    /// The whole number that it is: JSON does not tell 1 from 1.0.
    pub fn whole(&self) -> Option<i64> {
        match *self {
            Self::Integer(whole) => Some(whole),
            // Up to here all whole numbers have a place among the floating ones.
            Self::Number(number) if number.fract() == 0.0 && number.abs() <= 2_f64.powi(53) => {
                Some(number as i64)
            }
            _ => None,
        }
    }

    /// The number that it is.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Integer(whole) => Some(whole as f64),
            Self::Number(number) => Some(number),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => fmt::Debug::fmt(value, f),
        }
    }
}

/// What it takes, in words.
impl fmt::Display for ControlKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("true or false"),
            Self::Integer { min, max, step: ..=1 } => write!(f, "a whole number from {min} to {max}"),
            Self::Integer { min, max, step } => {
                write!(f, "a whole number from {min} to {max} in steps of {step}")
            }
            Self::Number { min, max, .. } => write!(f, "a number from {min} to {max}"),
            Self::Choice { choices } => {
                f.write_str("one of")?;
                for (index, Choice { value, name }) in choices.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma} {value} ({name})")?;
                }
                Ok(())
            }
            Self::Button => f.write_str("true, which presses it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn control(kind: ControlKind, default: Option<Value>) -> Control {
        let (id, name) = ("thing".to_owned(), "Thing".to_owned());
        let value = default.clone();
        Control { id, name, group: Group::Image, kind, default, value, read_only: false, inactive: false }
    }

    fn asked(control: &Control, value: serde_json::Value) -> Result<Value, String> {
        let value = serde_json::from_value(value).unwrap();
        control.check(&value).map_err(|refusal| format!("{refusal}: {}", refusal.hint))
    }

    #[test]
    fn a_control_is_json_with_its_limits_beside_its_name() {
        let brightness =
            control(ControlKind::Integer { min: -100, max: 100, step: 1 }, Some(Value::Integer(0)));
        let wire = json!({
            "id": "thing", "name": "Thing", "group": "image", "type": "integer",
            "min": -100, "max": 100, "step": 1, "default": 0, "value": 0, "read_only": false, "inactive": false,
        });
        assert_eq!(serde_json::to_value(&brightness).unwrap(), wire);
        let light =
            ControlKind::Choice { choices: vec![Choice::new("warm", "Warm"), Choice::new(7, "Seven")] };
        for kind in [
            brightness.kind,
            ControlKind::Boolean,
            ControlKind::Number { min: 0.0, max: 8.5, step: 0.1 },
            light,
            ControlKind::Button,
        ] {
            let control = control(kind, None);
            let line = serde_json::to_string(&control).unwrap();
            assert_eq!(serde_json::from_str::<Control>(&line).unwrap(), control, "{line}");
        }
    }

    #[test]
    fn what_a_program_of_somebody_else_leaves_out_is_empty() {
        let line = r#"{"id": "go", "name": "Go", "group": "other", "type": "button"}"#;
        let control: Control = serde_json::from_str(line).unwrap();
        assert_eq!((control.value, control.default, control.read_only), (None, None, false));
    }

    #[test]
    fn each_type_takes_what_it_is_made_for() {
        let choices = vec![Choice::new("warm", "Warm"), Choice::new(7, "Seven")];
        let cases = [
            (ControlKind::Boolean, json!(true), Value::Boolean(true)),
            (ControlKind::Integer { min: -4, max: 4, step: 2 }, json!(-4), Value::Integer(-4)),
            (ControlKind::Integer { min: -4, max: 4, step: 2 }, json!(2.0), Value::Integer(2)),
            (
                ControlKind::Integer { min: i64::MIN, max: i64::MAX, step: 1 },
                json!(i64::MAX),
                i64::MAX.into(),
            ),
            (ControlKind::Number { min: 0.0, max: 1.0, step: 0.1 }, json!(1), Value::Number(1.0)),
            (ControlKind::Number { min: 0.0, max: 1.0, step: 0.1 }, json!(0.15), Value::Number(0.15)),
            (ControlKind::Choice { choices: choices.clone() }, json!("warm"), "warm".into()),
            (ControlKind::Choice { choices }, json!(7.0), Value::Integer(7)),
            (ControlKind::Button, json!(true), Value::Boolean(true)),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(asked(&control(kind.clone(), None), value.clone()), Ok(expected), "{kind}: {value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let choices = vec![Choice::new("warm", "Warm"), Choice::new(7, "Seven")];
        let cases = [
            (ControlKind::Boolean, json!(1), "can't be 1: it takes true or false"),
            (
                ControlKind::Integer { min: -4, max: 4, step: 1 },
                json!(5),
                "can't be 5: it takes a whole number from -4 to 4",
            ),
            (
                ControlKind::Integer { min: -4, max: 4, step: 2 },
                json!(1),
                "can't be 1: it takes a whole number from -4 to 4 in steps of 2",
            ),
            (
                ControlKind::Integer { min: -4, max: 4, step: 1 },
                json!(0.5),
                "can't be 0.5: it takes a whole number from -4 to 4",
            ),
            (
                ControlKind::Number { min: 0.0, max: 1.5, step: 0.1 },
                json!("much"),
                "can't be \"much\": it takes a number from 0 to 1.5",
            ),
            (
                ControlKind::Choice { choices },
                json!("cold"),
                "can't be \"cold\": it takes one of \"warm\" (Warm), 7 (Seven)",
            ),
            (ControlKind::Button, json!(false), "can't be false: it takes true, which presses it"),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(asked(&control(kind, None), value), Err(format!("thing {expected}")));
        }
        let fixed = Control { read_only: true, ..control(ControlKind::Boolean, Some(true.into())) };
        assert_eq!(
            asked(&fixed, json!(true)),
            Err("thing can't be set: the camera only shows it".to_owned())
        );
        assert!(fixed.resolve(None).is_err());
    }

    #[test]
    fn nothing_means_the_default_and_no_press() {
        let kind = ControlKind::Integer { min: 0, max: 4, step: 1 };
        assert_eq!(control(kind.clone(), Some(Value::Integer(3))).resolve(None), Ok(Some(Value::Integer(3))));
        assert_eq!(control(ControlKind::Button, None).resolve(None), Ok(None));
        let refusal = control(kind, None).resolve(None).unwrap_err();
        assert_eq!(refusal.to_string(), "thing has no default that the camera tells");
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_known_one() {
        let mut controls = vec![control(ControlKind::Boolean, None)];
        assert!(find(&controls, "thing").is_ok());
        assert_eq!(find(&controls, "thnig").unwrap_err().hint, "did you mean thing?");
        assert_eq!(find(&controls, "brightness").unwrap_err().hint, "it has thing");
        controls.clear();
        assert_eq!(find(&controls, "thing").unwrap_err().hint, "it has no controls at all");
    }

    proptest! {
        #[test]
        fn what_is_taken_lies_within_the_limits(
            min in any::<i64>(), max in any::<i64>(), step in any::<i64>(), value in any::<i64>(), part in any::<f64>(),
        ) {
            let integer = control(ControlKind::Integer { min, max, step }, None);
            if let Ok(Value::Integer(taken)) = integer.check(&Value::Integer(value)) {
                prop_assert!(taken == value && (min..=max).contains(&taken));
            }
            let number = control(ControlKind::Number { min: min as f64, max: max as f64, step: 1.0 }, None);
            if let Ok(taken) = number.check(&Value::Number(part)) {
                let taken = taken.number().unwrap();
                prop_assert!(taken.is_finite() && min as f64 <= taken && taken <= max as f64);
            }
        }
    }
}
