//! What a V4L2 camera lets one set.

use std::io;

use super::{
    device::Device,
    kernel::{self, ControlValue, QueryControl, QueryMenu},
};
use crate::{
    capture::{
        protocol::{Offer, Set},
        runner::{checked, log},
    },
    controls::{Choice, Control, ControlKind, Group, Value},
};

/// The camera's controls, as they were when they were last looked at.
#[derive(Debug)]
pub(super) struct Panel {
    /// In the driver's order, each with the number by which the driver knows it.
    controls: Vec<(u32, Control)>,
    /// Whether what moves the picture is left out.
    fixed: bool,
}

/// `v4l2_ctrl_type`
const INTEGER: u32 = 1;
const BOOLEAN: u32 = 2;
const MENU: u32 = 3;
const BUTTON: u32 = 4;
const INTEGER_MENU: u32 = 9;

/// `V4L2_CTRL_FLAG_…`
const DISABLED: u32 = 0x1;
/// Another program has it for itself, or the driver while pictures are taken.
const GRABBED: u32 = 0x2;
const READ_ONLY: u32 = 0x4;
const INACTIVE: u32 = 0x10;
const WRITE_ONLY: u32 = 0x40;
/// Not one number.
const HAS_PAYLOAD: u32 = 0x100;

/// The longest menu that is read; the longest in the kernel has 32 entries.
const LONGEST_MENU: i64 = 256;

impl Panel {
    /// Asks the camera. With `fixed`, controls that move the picture under what is laid over it are left out.
    pub(super) fn read(device: &Device, fixed: bool) -> Self {
        let mut panel = Self { controls: Vec::new(), fixed };
        let mut id = 0;
        loop {
            let asked = QueryControl { id: id | kernel::NEXT_CONTROL, ..Default::default() };
            match device.call(kernel::QUERY_CONTROL, asked) {
                // A driver that doesn't know how to tell the next one repeats itself.
                Ok(told) if told.id > id => {
                    id = told.id;
                    let value = || value(device, id).ok();
                    panel.add(&told, |index| menu_item(device, id, index).ok(), value);
                }
                _ => return panel,
            }
        }
    }

    fn add(
        &mut self,
        told: &QueryControl,
        menu: impl Fn(u32) -> Option<[u8; 32]>,
        value: impl Fn() -> Option<i32>,
    ) {
        if told.flags & (DISABLED | HAS_PAYLOAD) != 0
            || NOT_OF_THE_PICTURE.contains(&told.id)
            || (self.fixed && MOVES_THE_PICTURE.contains(&told.id))
        {
            return;
        }
        let Some(kind) = kind(told, menu) else { return };
        let name = kernel::text(&told.name);
        let mut id = snake_case(&name);
        if id.is_empty() || self.controls.iter().any(|(_, other)| other.id == id) {
            id = format!("{id}_{:x}", told.id).trim_start_matches('_').to_owned();
        }
        let has_value = kind != ControlKind::Button && told.flags & WRITE_ONLY == 0;
        let control = Control {
            id,
            name,
            group: group(told.id),
            default: typed(&kind, told.default),
            value: if has_value { value().and_then(|value| typed(&kind, value)) } else { None },
            read_only: told.flags & (READ_ONLY | GRABBED) != 0,
            inactive: told.flags & INACTIVE != 0,
            kind,
        };
        self.controls.push((told.id, control));
    }

    /// Sets what is wanted, and tells how all is set now.
    pub(super) fn set(&mut self, device: &Device, wanted: &Set) -> Offer {
        let offered = self.offer(0).controls;
        let mut settings = checked(&offered, &wanted.controls);
        // What is automatic first: the rest has no effect, or is refused, until that is off.
        settings.sort_by_key(|(place, _)| {
            !matches!(offered[*place].kind, ControlKind::Boolean | ControlKind::Choice { .. })
        });
        for (place, value) in settings {
            let asked = ControlValue { id: self.controls[place].0, value: number(&value) };
            if let Err(error) = device.call(kernel::SET_CONTROL, asked) {
                log(format_args!("{} can't be set to {value}: {error}", offered[place].id));
            }
        }
        // One may change others, their limits included.
        *self = Self::read(device, self.fixed);
        self.offer(wanted.serial)
    }

    pub(super) fn offer(&self, answers: u64) -> Offer {
        Offer { controls: self.controls.iter().map(|(_, control)| control.clone()).collect(), answers }
    }
}

fn value(device: &Device, id: u32) -> io::Result<i32> {
    Ok(device.call(kernel::GET_CONTROL, ControlValue { id, value: 0 })?.value)
}

fn menu_item(device: &Device, id: u32, index: u32) -> io::Result<[u8; 32]> {
    Ok(device.call(kernel::QUERY_MENU, QueryMenu { id, index, ..Default::default() })?.item)
}

/// What it takes; none for what can't be shown.
fn kind(told: &QueryControl, menu: impl Fn(u32) -> Option<[u8; 32]>) -> Option<ControlKind> {
    let (min, max) = (i64::from(told.min), i64::from(told.max));
    match told.kind {
        BOOLEAN => Some(ControlKind::Boolean),
        BUTTON => Some(ControlKind::Button),
        INTEGER if min <= max => Some(ControlKind::Integer { min, max, step: i64::from(told.step).max(1) }),
        MENU | INTEGER_MENU => {
            let choice = |index: u32| {
                let item = menu(index)?;
                let name = if told.kind == MENU {
                    kernel::text(&item)
                } else {
                    let [number, ..] = item.as_chunks::<8>().0 else { return None };
                    i64::from_ne_bytes(*number).to_string()
                };
                Some(Choice::new(i64::from(index), name))
            };
            // There may be gaps, which the driver refuses to name.
            let places = min.max(0)..=max.min(min.max(0) + LONGEST_MENU);
            let choices: Vec<_> = places.filter_map(|index| choice(u32::try_from(index).ok()?)).collect();
            (!choices.is_empty()).then_some(ControlKind::Choice { choices })
        }
        // Texts, sets of flags, numbers of 64 bits: of a camera's picture, none is known.
        _ => None,
    }
}

/// The driver's number as a value.
fn typed(kind: &ControlKind, number: i32) -> Option<Value> {
    match kind {
        ControlKind::Button => None,
        ControlKind::Boolean => Some(Value::Boolean(number != 0)),
        ControlKind::Integer { .. } | ControlKind::Number { .. } | ControlKind::Choice { .. } => {
            Some(Value::Integer(number.into()))
        }
    }
}

/// A value as the driver's number.
fn number(value: &Value) -> i32 {
    match value {
        Value::Boolean(value) => (*value).into(),
        Value::Integer(value) => i32::try_from(*value).unwrap_or(i32::MAX),
        Value::Number(_) | Value::Text(_) => unreachable!("no control of ours takes one"),
    }
}

/// "White Balance Temperature, Auto" is white_balance_temperature_auto, as v4l2-ctl has it.
fn snake_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_")
}

/// Of `linux/v4l2-controls.h`.
const USER: u32 = 0x0098_0900;
const CAMERA: u32 = 0x009A_0900;

const HFLIP: u32 = USER + 20;
const VFLIP: u32 = USER + 21;
const ROTATE: u32 = USER + 34;
const ZOOM: [u32; 3] = [CAMERA + 13, CAMERA + 14, CAMERA + 15];

/// What would move the picture away under a mask: mirroring, turning, zoom, pan and tilt.
const MOVES_THE_PICTURE: &[u32] = &[
    HFLIP,
    VFLIP,
    ROTATE,
    CAMERA + 4,
    CAMERA + 5,
    CAMERA + 6,
    CAMERA + 7,
    CAMERA + 8,
    CAMERA + 9,
    ZOOM[0],
    ZOOM[1],
    ZOOM[2],
    CAMERA + 32,
    CAMERA + 33,
];

/// Sound, and how many buffers the driver likes.
const NOT_OF_THE_PICTURE: &[u32] =
    &[USER + 5, USER + 6, USER + 7, USER + 8, USER + 9, USER + 10, USER + 39, USER + 40];

/// What a control is about.
fn group(id: u32) -> Group {
    /// Sensors' own: exposure and gains.
    const SENSOR: u32 = 0x009E_0900;
    match id.checked_sub(id & 0xFFFF_FF00).map(|number| (id - number, number)) {
        // Brightness, contrast; gamma; mirroring; sharpness.
        Some((USER, 0 | 1 | 16 | 20 | 21 | 27 | 34)) => Group::Image,
        // Saturation, hue; white balance; colour gains and effects.
        Some((USER, 2 | 3 | 12..=15 | 25 | 26 | 29..=31 | 36 | 42)) => Group::Color,
        // Exposure, gains; mains frequency; backlight; brightness by itself.
        Some((USER, 17..=19 | 24 | 28 | 32)) => Group::Exposure,
        Some((CAMERA, 1..=3 | 17..=19 | 21 | 23..=25 | 36)) => Group::Exposure,
        Some((CAMERA, 10..=12 | 28..=31)) => Group::Focus,
        // Pan, tilt and zoom; image stabilisation; scenes.
        Some((CAMERA, 4..=9 | 13..=15 | 22 | 26 | 32 | 33)) => Group::Image,
        Some((CAMERA, 20)) => Group::Color,
        Some((SENSOR, 3)) => Group::Exposure,
        Some((SENSOR, 4..=7)) => Group::Color,
        _ => Group::Other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(id: u32, kind: u32, name: &str, limits: [i32; 4]) -> QueryControl {
        let [min, max, step, default] = limits;
        let mut bytes = [0; 32];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        QueryControl { id, kind, name: bytes, min, max, step, default, ..Default::default() }
    }

    fn offered(fixed: bool, all: &[(QueryControl, Option<i32>)]) -> serde_json::Value {
        let mut panel = Panel { controls: Vec::new(), fixed };
        for (control, value) in all {
            panel.add(control, item, || *value);
        }
        serde_json::to_value(panel.offer(7).controls).unwrap()
    }

    /// A menu with a gap, its entries both names and numbers.
    fn item(index: u32) -> Option<[u8; 32]> {
        let mut item = [0; 32];
        item[..8].copy_from_slice(&match index {
            0 => *b"Manual\0\0",
            1 | 4.. => return None,
            index => i64::from(index * 100).to_ne_bytes(),
        });
        Some(item)
    }

    fn ids(offered: &serde_json::Value) -> Vec<&str> {
        offered.as_array().unwrap().iter().map(|control| control["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn a_number_and_a_switch_come_with_their_limits_and_values() {
        let brightness = told(USER, INTEGER, "Brightness", [-64, 64, 0, 8]);
        let mut balance = told(USER + 12, BOOLEAN, "White Balance, Automatic", [0, 1, 1, 1]);
        balance.flags = INACTIVE;
        assert_eq!(
            offered(false, &[(brightness, Some(-3)), (balance, Some(0))]),
            json!([
                {"id": "brightness", "name": "Brightness", "group": "image", "type": "integer", "min": -64,
                 "max": 64, "step": 1, "default": 8, "value": -3, "read_only": false, "inactive": false},
                {"id": "white_balance_automatic", "name": "White Balance, Automatic", "group": "color",
                 "type": "boolean", "default": true, "value": false, "read_only": false, "inactive": true},
            ])
        );
    }

    #[test]
    fn menus_come_with_their_entries_and_leave_the_gaps_out() {
        let menu = told(CAMERA + 1, MENU, "Auto Exposure", [0, 3, 1, 3]);
        let numbers = told(CAMERA + 19, INTEGER_MENU, "Exposure Bias", [1, 3, 1, 2]);
        let offered = offered(false, &[(menu, Some(0)), (numbers, Some(3))]);
        assert_eq!(offered[0]["group"], "exposure");
        assert_eq!(offered[0]["choices"][0], json!({"value": 0, "name": "Manual"}));
        assert_eq!(offered[0]["choices"].as_array().unwrap().len(), 3);
        let numbers = json!([{"value": 2, "name": "200"}, {"value": 3, "name": "300"}]);
        assert_eq!((&offered[1]["choices"], &offered[1]["value"]), (&numbers, &json!(3)));
    }

    #[test]
    fn a_button_and_what_can_only_be_written_have_no_value() {
        let button = told(CAMERA + 28, BUTTON, "Auto Focus, Start", [0, 0, 0, 0]);
        let mut relative = told(CAMERA + 11, INTEGER, "Focus, Relative", [-5, 5, 1, 0]);
        relative.flags = WRITE_ONLY;
        let offered = offered(false, &[(button, Some(1)), (relative, Some(1))]);
        assert_eq!((&offered[0]["type"], &offered[0]["group"]), (&json!("button"), &json!("focus")));
        assert_eq!((&offered[0]["value"], &offered[0]["default"]), (&json!(null), &json!(null)));
        assert_eq!(offered[1]["value"], json!(null));
    }

    #[test]
    fn what_is_off_or_not_of_the_picture_is_left_out_and_what_is_held_is_to_be_looked_at() {
        let plain = |id, name| told(id, INTEGER, name, [0, 9, 1, 0]);
        let with = |flags| QueryControl { flags, ..plain(USER + 1, "Contrast") };
        let all = [
            with(DISABLED),
            with(HAS_PAYLOAD),
            plain(USER + 5, "Volume"),
            told(0x0098_0001, 6, "User Controls", [0, 0, 0, 0]),
            told(0x00F0_0001, 7, "A text", [0, 9, 1, 0]),
            told(USER + 1, INTEGER, "Backwards", [9, 0, 1, 0]),
            told(USER + 1, MENU, "Empty", [7, 9, 1, 7]),
        ];
        assert_eq!(offered(false, &all.map(|told| (told, None))), json!([]));
        for flags in [GRABBED, READ_ONLY] {
            assert_eq!(offered(false, &[(with(flags), Some(1))])[0]["read_only"], true);
        }
    }

    #[test]
    fn under_a_mask_nothing_moves_the_picture() {
        let moving = [(HFLIP, "Horizontal Flip"), (CAMERA + 8, "Pan, Absolute"), (ZOOM[0], "Zoom, Absolute")];
        let mut all: Vec<_> =
            moving.iter().map(|(id, name)| (told(*id, INTEGER, name, [0, 9, 1, 0]), Some(0))).collect();
        all.push((told(CAMERA + 10, INTEGER, "Focus, Absolute", [0, 9, 1, 0]), Some(0)));
        let free = offered(false, &all);
        assert_eq!(ids(&free), ["horizontal_flip", "pan_absolute", "zoom_absolute", "focus_absolute"]);
        assert_eq!(ids(&offered(true, &all)), ["focus_absolute"]);
    }

    #[test]
    fn two_of_one_name_have_ids_of_their_own() {
        let all = [(USER, "Gain"), (USER + 1, "Gain"), (USER + 2, "増幅")];
        let all = all.map(|(id, name)| (told(id, INTEGER, name, [0, 9, 1, 0]), Some(0)));
        assert_eq!(ids(&offered(false, &all)), ["gain", "gain_980901", "980902"]);
    }
}
