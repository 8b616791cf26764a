//! What can be set of the test picture: one control of each type, so that all that deals with controls can be
//! tried without a camera.

use crate::controls::{Choice, Control, ControlKind, Group, Value};

pub(super) const BRIGHTNESS: &str = "brightness";
pub(super) const SATURATION: &str = "saturation";
pub(super) const WHITE_BALANCE: &str = "white_balance";
pub(super) const NEGATIVE: &str = "negative";
pub(super) const BLINK: &str = "blink";

/// The controls, at their defaults.
pub(super) fn controls() -> Vec<Control> {
    let control = |id: &str, name: &str, group, kind, default: Option<Value>| Control {
        id: id.to_owned(),
        name: name.to_owned(),
        group,
        kind,
        value: default.clone(),
        default,
        read_only: false,
        inactive: false,
    };
    let tones = vec![
        Choice::new("neutral", "Neutral"),
        Choice::new("warm", "Warm light"),
        Choice::new("cool", "Cool light"),
    ];
    let (level, factor) = (
        ControlKind::Integer { min: -100, max: 100, step: 1 },
        ControlKind::Number { min: 0.0, max: 2.0, step: 0.05 },
    );
    vec![
        control(BRIGHTNESS, "Brightness", Group::Image, level, Some(0.into())),
        control(NEGATIVE, "Negative", Group::Image, ControlKind::Boolean, Some(false.into())),
        control(SATURATION, "Saturation", Group::Color, factor, Some(1.0.into())),
        control(
            WHITE_BALANCE,
            "White balance",
            Group::Color,
            ControlKind::Choice { choices: tones },
            Some("neutral".into()),
        ),
        control(BLINK, "Blink", Group::Other, ControlKind::Button, None),
    ]
}

/// What becomes of each value of a plane: Y, Cb, Cr.
#[derive(Debug)]
pub(super) struct Look([[u8; 256]; 3]);

impl Look {
    /// None where the picture stays as it is painted.
    pub(super) fn new(controls: &[Control]) -> Option<Self> {
        let value = |id: &str| {
            controls.iter().find(|control| control.id == id).and_then(|control| control.value.as_ref())
        };
        let changed = controls.iter().any(|control| control.value != control.default);
        let negative = value(NEGATIVE) == Some(&Value::Boolean(true));
        let brightness = value(BRIGHTNESS).and_then(Value::number).unwrap_or(0.0) * 1.28;
        let saturation = value(SATURATION).and_then(Value::number).unwrap_or(1.0);
        let warm = match value(WHITE_BALANCE) {
            Some(Value::Text(tone)) if tone == "warm" => 16.0,
            Some(Value::Text(tone)) if tone == "cool" => -16.0,
            _ => 0.0,
        };
        let turned = |level: usize| if negative { 255 - level } else { level } as f64;
        let plane = |map: &dyn Fn(f64) -> f64| std::array::from_fn(|level| map(turned(level)).round() as u8);
        let color = |shift: f64| plane(&move |level| (level - 128.0) * saturation + 128.0 + shift);
        changed.then(|| Self([plane(&|level| level + brightness), color(-warm), color(warm)]))
    }

    pub(super) fn apply(&self, planes: &mut [Vec<u8>; 3]) {
        for (plane, map) in planes.iter_mut().zip(&self.0) {
            plane.iter_mut().for_each(|level| *level = map[usize::from(*level)]);
        }
    }
}
