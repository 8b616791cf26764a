//! What can be set of a libcamera camera, from its own list of controls to ours and back.
//!
//! libcamera names controls in its documentation: <https://libcamera.org/api-html/namespacelibcamera_1_1controls.html>.
//! It tells neither which value is in force nor that one was not taken, so a control shows what was asked of it.

use libcamera::{
    control::{ControlInfoMap, ControlList},
    control_value::ControlValue,
    controls::ControlId,
    geometry::Rectangle,
};

use crate::{
    capture::{
        protocol::{Offer, Set},
        runner::{checked, log},
    },
    controls::{Choice, Control, ControlKind, Group, Value},
};

/// How far one can go in. Sensors have more pixels than the picture, but not ten times as many.
const LARGEST_ZOOM: f64 = 8.0;

/// A control of libcamera that makes sense while somebody watches.
struct Known {
    id: ControlId,
    name: &'static str,
    title: &'static str,
    group: Group,
    form: Form,
}

/// What is made of it.
#[derive(Clone, Copy)]
enum Form {
    Switch,
    Whole,
    /// With the step of its slider.
    Fraction(f64),
    /// The number on libcamera's side, the text on ours and a name for people.
    Choice(&'static [(i32, &'static str, &'static str)]),
    Button,
    /// A rectangle of the sensor.
    Zoom,
}

const AWB_MODES: &[(i32, &str, &str)] = &[
    (0, "auto", "Automatic"),
    (1, "incandescent", "Incandescent"),
    (2, "tungsten", "Tungsten"),
    (3, "fluorescent", "Fluorescent"),
    (4, "indoor", "Indoor"),
    (5, "daylight", "Daylight"),
    (6, "cloudy", "Cloudy"),
    (7, "custom", "Custom"),
];
const AF_MODES: &[(i32, &str, &str)] =
    &[(0, "manual", "By hand"), (1, "auto", "When asked to"), (2, "continuous", "All the time")];
const NOISE_REDUCTION_MODES: &[(i32, &str, &str)] = &[
    (0, "off", "Off"),
    (1, "fast", "Fast"),
    (2, "high_quality", "High quality"),
    (3, "minimal", "Minimal"),
    (4, "zsl", "As for stills"),
];
/// `AfTriggerStart` of libcamera.
const START: i32 = 0;
/// `AfModeAuto` of libcamera.
const AF_AUTO: i32 = 1;

const KNOWN: &[Known] = &{
    use Form::{Button, Choice, Fraction, Switch, Whole, Zoom};
    use Group::{Color, Exposure, Focus, Image};
    const fn known(
        id: ControlId,
        name: &'static str,
        title: &'static str,
        group: Group,
        form: Form,
    ) -> Known {
        Known { id, name, title, group, form }
    }
    [
        known(ControlId::Brightness, "brightness", "Brightness", Image, Fraction(0.05)),
        known(ControlId::Contrast, "contrast", "Contrast", Image, Fraction(0.05)),
        known(ControlId::Sharpness, "sharpness", "Sharpness", Image, Fraction(0.1)),
        known(
            ControlId::NoiseReductionMode,
            "noise_reduction_mode",
            "Noise reduction",
            Image,
            Choice(NOISE_REDUCTION_MODES),
        ),
        known(ControlId::ScalerCrop, "zoom", "Zoom", Image, Zoom),
        known(ControlId::AeEnable, "ae_enable", "Automatic exposure", Exposure, Switch),
        known(
            ControlId::ExposureValue,
            "exposure_value",
            "Exposure correction in EV",
            Exposure,
            Fraction(0.1),
        ),
        known(ControlId::ExposureTime, "exposure_time", "Exposure time in µs", Exposure, Whole),
        known(ControlId::AnalogueGain, "analogue_gain", "Gain", Exposure, Fraction(0.1)),
        known(ControlId::Saturation, "saturation", "Saturation", Color, Fraction(0.05)),
        known(ControlId::AwbEnable, "awb_enable", "Automatic white balance", Color, Switch),
        known(ControlId::AwbMode, "awb_mode", "Light", Color, Choice(AWB_MODES)),
        known(ControlId::AfMode, "af_mode", "Focus", Focus, Choice(AF_MODES)),
        known(ControlId::AfTrigger, "af_trigger", "Focus now", Focus, Button),
        known(ControlId::LensPosition, "lens_position", "Lens position in dioptres", Focus, Fraction(0.1)),
    ]
};

/// What a camera tells of one of its controls.
#[derive(Debug)]
struct Limits {
    min: ControlValue,
    max: ControlValue,
    default: ControlValue,
    values: Vec<ControlValue>,
}

/// The controls of one camera, with the values that were asked of it.
pub(super) struct Panel {
    controls: Vec<Control>,
    /// The part of the sensor that is the whole picture.
    whole: Option<Rectangle>,
    /// What the next request to the camera is to carry.
    due: Vec<(ControlId, ControlValue)>,
}

impl Panel {
    /// What a camera offers. `still` is whether the picture has to show the same part of the world always, as
    /// privacy masks lie on the picture.
    pub(super) fn new(offered: &ControlInfoMap, still: bool) -> Self {
        Self::of(still, |id| {
            let info = offered.find(id as u32).ok()?;
            Some(Limits { min: info.min(), max: info.max(), default: info.def(), values: info.values() })
        })
    }

    fn of(still: bool, limits: impl Fn(ControlId) -> Option<Limits>) -> Self {
        let mut panel = Self { controls: Vec::new(), whole: None, due: Vec::new() };
        for known in KNOWN {
            let Some(limits) = limits(known.id) else { continue };
            let zooms = matches!(known.form, Form::Zoom);
            if let Some(control) = control(known, &limits).filter(|_| !(still && zooms)) {
                panel.controls.push(control);
                if zooms {
                    panel.whole = Rectangle::try_from(limits.max).ok();
                }
            }
        }
        // libcamera leaves the lens where it is unless it is told otherwise.
        if let Some(focus) = panel.controls.iter().position(|control| control.id == "af_mode")
            && panel.controls[focus].check(&"continuous".into()).is_ok()
        {
            panel.controls[focus].default = Some("continuous".into());
            panel.assign(focus, "continuous".into());
        }
        panel.settle();
        panel
    }

    /// Takes over what is wanted, for [`Panel::put`], and tells how all is set then.
    pub(super) fn set(&mut self, wanted: Set) -> Offer {
        for (place, value) in checked(&self.controls, &wanted.controls) {
            self.assign(place, value);
        }
        self.settle();
        Offer { controls: self.controls.clone(), answers: wanted.serial }
    }

    /// Puts what is new into a request.
    pub(super) fn put(&mut self, request: &mut ControlList) {
        for (id, value) in self.due.drain(..) {
            // Nothing is lost with it but this one control.
            if let Err(error) = request.set_raw(id as u32, value) {
                log(format_args!("the camera does not take a control: {error}"));
            }
        }
    }

    fn assign(&mut self, place: usize, value: Value) {
        let control = &mut self.controls[place];
        let Some(known) = KNOWN.iter().find(|known| known.name == control.id) else { return };
        match raw(known, &value, self.whole) {
            Some(raw) => self.due.push((known.id, raw)),
            None => return,
        }
        if control.kind == ControlKind::Button {
            // The trigger is for this mode only.
            self.due.insert(0, (ControlId::AfMode, AF_AUTO.into()));
            self.show("af_mode", "auto");
        } else {
            control.value = Some(value);
        }
    }

    fn show(&mut self, id: &str, value: &str) {
        if let Some(control) = self.controls.iter_mut().find(|control| control.id == id) {
            control.value = Some(value.into());
        }
    }

    /// Marks what has no effect for now.
    fn settle(&mut self) {
        let value = |id: &str| {
            self.controls.iter().find(|control| control.id == id).and_then(|control| control.value.clone())
        };
        let (exposes, balances, focus) = (value("ae_enable"), value("awb_enable"), value("af_mode"));
        let on = |switch: &Option<Value>| switch.as_ref() == Some(&Value::Boolean(true));
        let off = |switch: &Option<Value>| switch.as_ref() == Some(&Value::Boolean(false));
        for control in &mut self.controls {
            control.inactive = match control.id.as_str() {
                "exposure_time" | "analogue_gain" => on(&exposes),
                "exposure_value" => off(&exposes),
                "awb_mode" => off(&balances),
                "lens_position" => focus.as_ref().is_some_and(|mode| *mode != "manual".into()),
                _ => false,
            };
        }
    }
}

/// None where the camera's limits leave nothing to set, or are none of this form.
fn control(known: &Known, limits: &Limits) -> Option<Control> {
    let (min, max) = (number(&limits.min), number(&limits.max));
    let default = number(&limits.default);
    let (kind, default) = match known.form {
        Form::Switch => {
            let ControlValue::Bool(_) = limits.max else { return None };
            // A camera that can only do one of both lists one value.
            if limits.values.len() == 1 || min == max {
                return None;
            }
            (ControlKind::Boolean, default.map(|default| Value::Boolean(default != 0.0)))
        }
        Form::Whole => {
            let (min, max) = (min? as i64, max? as i64);
            (min < max).then_some(())?;
            let default = default.map(|default| default as i64).filter(|value| (min..=max).contains(value));
            (ControlKind::Integer { min, max, step: 1 }, default.map(Value::Integer))
        }
        Form::Fraction(step) => {
            let (min, max) = (min?, max?);
            (min < max).then_some(())?;
            let default = default.filter(|value| (min..=max).contains(value));
            (ControlKind::Number { min, max, step }, default.map(Value::Number))
        }
        Form::Choice(all) => {
            let offered: Vec<_> = limits.values.iter().filter_map(number).collect();
            let fits = |code: i32| {
                let code = f64::from(code);
                if offered.is_empty() {
                    min <= Some(code) && Some(code) <= max
                } else {
                    offered.contains(&code)
                }
            };
            let choices: Vec<_> = all
                .iter()
                .filter(|(code, ..)| fits(*code))
                .map(|(_, value, name)| Choice::new(*value, *name))
                .collect();
            let default = all
                .iter()
                .find(|(code, ..)| Some(f64::from(*code)) == default && fits(*code))
                .map(|(_, value, _)| Value::from(*value));
            (choices.len() > 1).then_some(())?;
            (ControlKind::Choice { choices }, default)
        }
        Form::Button => (ControlKind::Button, None),
        Form::Zoom => {
            let whole = Rectangle::try_from(limits.max.clone()).ok()?;
            let least = Rectangle::try_from(limits.min.clone()).ok()?;
            let room = |whole: u32, least: u32| f64::from(whole) / f64::from(least.max(1));
            let max = room(whole.width, least.width).min(room(whole.height, least.height)).min(LARGEST_ZOOM);
            (max > 1.0).then_some(())?;
            (ControlKind::Number { min: 1.0, max, step: 0.1 }, Some(Value::Number(1.0)))
        }
    };
    Some(Control {
        id: known.name.to_owned(),
        name: known.title.to_owned(),
        group: known.group,
        kind,
        value: default.clone(),
        default,
        read_only: false,
        inactive: false,
    })
}

/// A value as libcamera wants it.
fn raw(known: &Known, value: &Value, whole: Option<Rectangle>) -> Option<ControlValue> {
    match (known.form, value) {
        (Form::Switch, Value::Boolean(value)) => Some((*value).into()),
        (Form::Whole, value) => i32::try_from(value.whole()?).ok().map(ControlValue::from),
        (Form::Fraction(_), value) => Some((value.number()? as f32).into()),
        (Form::Choice(all), Value::Text(text)) => {
            all.iter().find(|(_, value, _)| value == text).map(|(code, ..)| (*code).into())
        }
        (Form::Button, Value::Boolean(true)) => Some(START.into()),
        (Form::Zoom, value) => Some(zoomed(whole?, value.number()?).into()),
        _ => None,
    }
}

/// The middle of the picture, so many times larger.
fn zoomed(whole: Rectangle, zoom: f64) -> Rectangle {
    let part = |side: u32| (f64::from(side) / zoom).round() as u32;
    let (width, height) = (part(whole.width), part(whole.height));
    Rectangle {
        x: whole.x + ((whole.width - width.min(whole.width)) / 2) as i32,
        y: whole.y + ((whole.height - height.min(whole.height)) / 2) as i32,
        width,
        height,
    }
}

/// The one number that a value is, without what `f32` adds to it; none for lists, and for what is not finite.
fn number(value: &ControlValue) -> Option<f64> {
    let number = match value {
        ControlValue::Bool(value) if value.len() == 1 => f64::from(u8::from(value[0])),
        ControlValue::Byte(value) if value.len() == 1 => f64::from(value[0]),
        ControlValue::Int32(value) if value.len() == 1 => f64::from(value[0]),
        ControlValue::Int64(value) if value.len() == 1 => value[0] as f64,
        ControlValue::Float(value) if value.len() == 1 => value[0].to_string().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits<T: Into<ControlValue>>(min: T, max: T, default: T) -> Limits {
        Limits { min: min.into(), max: max.into(), default: default.into(), values: Vec::new() }
    }

    fn rectangle(x: i32, y: i32, width: u32, height: u32) -> Rectangle {
        Rectangle { x, y, width, height }
    }

    /// Limits such as a camera with autofocus may tell; made up for these tests, not read off one.
    fn with_autofocus(id: ControlId) -> Option<Limits> {
        Some(match id {
            ControlId::Brightness => limits(-1.0_f32, 1.0, 0.0),
            ControlId::Contrast => limits(0.0_f32, 32.0, 1.0),
            ControlId::ExposureValue => limits(-8.0_f32, 8.0, 0.0),
            ControlId::ExposureTime => limits(27_i32, 119_000_000, 20_000),
            ControlId::AnalogueGain => limits(1.123_f32, 16.0, 1.0),
            ControlId::AeEnable => limits(false, true, true),
            ControlId::AwbEnable => Limits { default: ControlValue::None, ..limits(false, true, true) },
            ControlId::AwbMode => limits(0_i32, 7, 0),
            ControlId::AfMode => {
                Limits { values: [0, 1, 2].map(ControlValue::from).into(), ..limits(0_i32, 2, 0) }
            }
            ControlId::AfTrigger => limits(0_i32, 1, 0),
            ControlId::LensPosition => limits(0.0_f32, 15.0, 1.0),
            ControlId::ScalerCrop => {
                limits(rectangle(0, 0, 64, 64), rectangle(0, 0, 4608, 2592), rectangle(0, 0, 4608, 2592))
            }
            _ => return None,
        })
    }

    fn set(panel: &mut Panel, settings: serde_json::Value) -> Vec<(ControlId, String)> {
        panel.set(Set { serial: 1, controls: serde_json::from_value(settings).unwrap() });
        panel.due.drain(..).map(|(id, value)| (id, format!("{value:?}"))).collect()
    }

    fn get<'a>(panel: &'a Panel, id: &str) -> &'a Control {
        panel.controls.iter().find(|control| control.id == id).unwrap()
    }

    #[test]
    fn what_a_camera_offers_is_told_with_its_limits() {
        let panel = Panel::of(false, with_autofocus);
        let ids: Vec<_> = panel.controls.iter().map(|control| control.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "brightness",
                "contrast",
                "zoom",
                "ae_enable",
                "exposure_value",
                "exposure_time",
                "analogue_gain",
                "awb_enable",
                "awb_mode",
                "af_mode",
                "af_trigger",
                "lens_position"
            ]
        );
        let contrast = get(&panel, "contrast");
        assert_eq!(contrast.kind, ControlKind::Number { min: 0.0, max: 32.0, step: 0.05 });
        assert_eq!(contrast.default, Some(Value::Number(1.0)));
        let gain = get(&panel, "analogue_gain");
        assert_eq!(gain.kind, ControlKind::Number { min: 1.123, max: 16.0, step: 0.1 });
        assert_eq!(gain.default, None, "one that is out of its limits is none");
        assert_eq!(get(&panel, "zoom").kind, ControlKind::Number { min: 1.0, max: 8.0, step: 0.1 });
        assert_eq!(get(&panel, "af_mode").default, Some("continuous".into()));
        for control in &panel.controls {
            assert!(
                control.default.as_ref().is_none_or(|default| control.check(default).is_ok()),
                "{control:?}"
            );
        }
    }

    #[test]
    fn a_camera_without_any_offers_nothing_and_odd_limits_are_left_out() {
        assert!(Panel::of(false, |_| None).controls.is_empty());
        let odd = |id| match id {
            ControlId::Brightness => Some(limits(0.5_f32, 0.5, 0.5)),
            ControlId::Contrast => Some(limits(0.0_f32, f32::INFINITY, 1.0)),
            ControlId::Sharpness => Some(limits(0.0_f32, f32::NAN, 1.0)),
            ControlId::Saturation => Some(limits(0_i32, 0, 0)),
            ControlId::ExposureTime => {
                Some(limits(ControlValue::None, ControlValue::None, ControlValue::None))
            }
            ControlId::AeEnable => Some(Limits { values: vec![true.into()], ..limits(true, true, true) }),
            ControlId::AfMode => Some(limits(0_i32, 0, 0)),
            ControlId::ScalerCrop => {
                Some(limits(rectangle(0, 0, 10, 10), rectangle(0, 0, 10, 10), rectangle(0, 0, 0, 0)))
            }
            _ => None,
        };
        let panel = Panel::of(false, odd);
        assert!(panel.controls.is_empty(), "{:?}", panel.controls);
    }

    #[test]
    fn values_reach_the_camera_in_its_own_types() {
        let mut panel = Panel::of(false, with_autofocus);
        assert_eq!(set(&mut panel, serde_json::json!({})), [(ControlId::AfMode, "Int32([2])".to_owned())]);
        for (settings, id, raw) in [
            (serde_json::json!({"brightness": 0.25}), ControlId::Brightness, "Float([0.25])"),
            (serde_json::json!({"exposure_time": 10000}), ControlId::ExposureTime, "Int32([10000])"),
            (serde_json::json!({"ae_enable": false}), ControlId::AeEnable, "Bool([false])"),
            (serde_json::json!({"awb_mode": "daylight"}), ControlId::AwbMode, "Int32([5])"),
            (serde_json::json!({"awb_mode": null}), ControlId::AwbMode, "Int32([0])"),
            (serde_json::json!({"lens_position": 2}), ControlId::LensPosition, "Float([2.0])"),
        ] {
            assert_eq!(set(&mut panel, settings), [(id, raw.to_owned())]);
        }
        assert_eq!(set(&mut panel, serde_json::json!({"brightness": 2, "contrast": "x", "hue": 1})), []);
    }

    #[test]
    fn a_trigger_focuses_once_whatever_the_mode_was() {
        let mut panel = Panel::of(false, with_autofocus);
        panel.due.clear();
        let due = set(&mut panel, serde_json::json!({"af_trigger": true}));
        assert_eq!(
            due,
            [(ControlId::AfMode, "Int32([1])".to_owned()), (ControlId::AfTrigger, "Int32([0])".to_owned())]
        );
        assert_eq!(get(&panel, "af_mode").value, Some("auto".into()));
    }

    #[test]
    fn what_has_no_effect_is_marked() {
        let mut panel = Panel::of(false, with_autofocus);
        let inactive = |panel: &Panel| {
            let inactive = panel.controls.iter().filter(|control| control.inactive);
            inactive.map(|control| control.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(inactive(&panel), ["exposure_time", "analogue_gain", "lens_position"]);
        set(&mut panel, serde_json::json!({"ae_enable": false, "awb_enable": false, "af_mode": "manual"}));
        assert_eq!(inactive(&panel), ["exposure_value", "awb_mode"]);
    }

    #[test]
    fn zoom_is_the_middle_and_is_not_offered_where_masks_lie_on_the_picture() {
        let sides = |area: Rectangle| (area.x, area.y, area.width, area.height);
        let whole = rectangle(16, 8, 4000, 3000);
        assert_eq!(sides(zoomed(whole, 1.0)), (16, 8, 4000, 3000));
        assert_eq!(sides(zoomed(whole, 2.0)), (1016, 758, 2000, 1500));
        let tiny = zoomed(rectangle(0, 0, 3, 1), 8.0);
        assert!(tiny.x + tiny.width as i32 <= 3 && tiny.y + tiny.height as i32 <= 1);
        assert!(!Panel::of(true, with_autofocus).controls.iter().any(|control| control.id == "zoom"));
    }
}
