//! What is on a camera's screen, as a pure state machine: live pictures, or recorded ones in their place.
//!
//! No clock, no task: the programme brings the events, and carries out each turn.

use std::time::{Duration, Instant};

use super::stretches::Stretches;
use crate::config::{CameraConfig, PrivacyConfig};

/// What was configured, as far as it counts here.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// How long there may be no live picture after a viewer has come.
    after: Duration,
    /// How long there may be none after one.
    gap: Duration,
    /// From one recorded picture to the next.
    interval: Duration,
    privacy: PrivacyConfig,
}

impl Plan {
    pub(super) fn new(config: &CameraConfig) -> Self {
        let after = config.offline.after;
        // A picture an hour is no camera that is gone.
        let gap = after.max(config.interval.saturating_mul(3));
        Self { after, gap, interval: config.offline.interval, privacy: config.privacy.clone() }
    }
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Somebody watches, or nobody does.
    Watched(bool),
    /// The camera may not run, or it may again.
    Blocked(bool),
    /// There are recorded pictures to show, or there are none.
    Material(bool),
    /// It is time for a live picture to be seen.
    Live,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Live pictures are kept back.
    pub(super) cut: bool,
    /// Recorded pictures are shown.
    pub(super) playing: bool,
    /// The next one is to be shown now.
    pub(super) show: bool,
    /// The live picture that has just come ends the loop.
    pub(super) back: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// Nobody watches.
    Dark,
    Live,
    Loop,
    Stretch,
}

/// The state machine.
#[derive(Debug)]
pub(super) struct Schedule {
    plan: Plan,
    watched: Option<Instant>,
    blocked: bool,
    material: bool,
    last_live: Option<Instant>,
    scene: Scene,
    back: bool,
    /// When the next recorded picture is due, in a scene of them.
    next: Instant,
    stretches: Stretches,
}

impl Schedule {
    pub(super) fn new(plan: Plan, now: Instant) -> Self {
        Self {
            plan,
            watched: None,
            blocked: false,
            material: false,
            last_live: None,
            scene: Scene::Dark,
            back: false,
            next: now,
            stretches: Stretches::default(),
        }
    }

    pub(super) fn set_plan(&mut self, plan: Plan) {
        self.plan = plan;
    }

    pub(super) fn handle(&mut self, now: Instant, event: Event) {
        match event {
            Event::Watched(true) => drop(self.watched.get_or_insert(now)),
            Event::Watched(false) => self.watched = None,
            Event::Blocked(blocked) => self.blocked = blocked,
            Event::Material(material) => self.material = material,
            // What a process gives that is being stopped.
            Event::Live if self.blocked => {}
            Event::Live => {
                self.last_live = Some(now);
                if self.scene == Scene::Loop {
                    (self.scene, self.back) = (Scene::Live, true);
                }
            }
        }
    }

    /// What is to be done now that all has happened that has.
    pub(super) fn turn(&mut self, now: Instant, draw: &mut dyn FnMut() -> f64) -> Turn {
        let stretch = self.stretches.is_on(now, &self.plan.privacy, draw);
        let back = std::mem::take(&mut self.back);
        let scene = match self.watched {
            None => Scene::Dark,
            // One that has begun goes on where its pictures are lost.
            Some(_) if stretch && (self.material || self.scene == Scene::Stretch) => Scene::Stretch,
            Some(_)
                if self.material && (self.blocked || self.scene == Scene::Loop || self.loop_is_due(now)) =>
            {
                Scene::Loop
            }
            Some(_) => Scene::Live,
        };
        let recorded = |scene| matches!(scene, Scene::Loop | Scene::Stretch);
        if recorded(scene) && !recorded(self.scene) {
            self.next = now;
        }
        self.scene = scene;
        let playing = recorded(scene);
        let show = playing && self.next <= now;
        if show {
            self.next = now + self.plan.interval;
        }
        // While nobody watches no draw is looked at, so nothing may pass unseen.
        let cut = playing || scene == Scene::Dark && self.plan.privacy.interleave > 0.0;
        Turn { cut, playing, show, back: back && scene == Scene::Live }
    }

    /// When a turn is due though nothing has happened.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let due = match self.scene {
            Scene::Dark => return None,
            Scene::Loop | Scene::Stretch => Some(self.next),
            Scene::Live => self.loop_due().filter(|_| self.material),
        };
        due.into_iter().chain(self.stretches.next_change(now)).min()
    }

    fn loop_is_due(&self, now: Instant) -> bool {
        self.loop_due().is_some_and(|due| due <= now)
    }

    fn loop_due(&self) -> Option<Instant> {
        let came = self.watched? + self.plan.after;
        Some(self.last_live.map_or(came, |last| came.max(last + self.plan.gap)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::OfflineConfig;

    fn plan(interleave: f64) -> Plan {
        let mut config = CameraConfig { interval: Duration::from_secs(1), ..CameraConfig::default() };
        config.offline = OfflineConfig {
            folder: "/x".into(),
            interval: Duration::from_secs(2),
            ..OfflineConfig::default()
        };
        config.privacy.interleave = interleave;
        Plan::new(&config)
    }

    struct World {
        schedule: Schedule,
        now: Instant,
        random: fastrand::Rng,
    }

    impl World {
        fn new(interleave: f64, seed: u64) -> Self {
            let now = Instant::now();
            Self {
                schedule: Schedule::new(plan(interleave), now),
                now,
                random: fastrand::Rng::with_seed(seed),
            }
        }

        fn tell(&mut self, event: Event) -> Turn {
            self.schedule.handle(self.now, event);
            self.turn()
        }

        fn turn(&mut self) -> Turn {
            self.schedule.turn(self.now, &mut || self.random.f64())
        }

        /// Lets time pass, with a turn whenever one is due; how often a recorded picture was shown.
        fn pass(&mut self, time: Duration) -> usize {
            let (end, mut shown) = (self.now + time, 0);
            while let Some(due) = self.schedule.deadline(self.now).filter(|due| *due <= end) {
                self.now = self.now.max(due);
                shown += usize::from(self.turn().show);
            }
            self.now = end;
            shown
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn after_a_while_without_a_live_picture_the_loop_is_shown_until_one_comes() {
        let mut world = World::new(0.0, 0);
        world.tell(Event::Material(true));
        assert_eq!(world.pass(seconds(3600)), 0, "nobody watches");
        world.tell(Event::Watched(true));
        assert_eq!(world.pass(seconds(9)), 0);
        assert_eq!(world.pass(seconds(2)), 1);
        assert_eq!(world.pass(seconds(20)), 10, "one in two seconds");
        let turn = world.tell(Event::Live);
        assert_eq!(turn, Turn { cut: false, playing: false, show: false, back: true });
        assert_eq!(world.pass(seconds(9)), 0);
        assert_eq!(world.pass(seconds(1)), 1, "it is gone again");
        world.tell(Event::Watched(false));
        assert_eq!((world.pass(seconds(100)), world.schedule.deadline(world.now)), (0, None));
    }

    #[test]
    fn a_camera_that_may_not_run_is_not_waited_for_and_what_it_still_gives_is_not_seen() {
        let mut world = World::new(0.0, 0);
        world.tell(Event::Material(true));
        world.tell(Event::Watched(true));
        world.tell(Event::Live);
        let turn = world.tell(Event::Blocked(true));
        assert!(turn.cut && turn.show);
        assert!(world.tell(Event::Live).cut);
        assert!(world.tell(Event::Blocked(false)).playing, "until it is back");
        assert!(!world.tell(Event::Live).cut);
    }

    #[test]
    fn without_recorded_pictures_nothing_is_shown_in_place_of_live_ones() {
        let mut world = World::new(1.0, 0);
        world.tell(Event::Watched(true));
        world.tell(Event::Blocked(true));
        assert_eq!(world.pass(seconds(600)), 0);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Tell(Event),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => any::<bool>().prop_map(|on| Step::Tell(Event::Watched(on))),
            1 => any::<bool>().prop_map(|on| Step::Tell(Event::Blocked(on))),
            1 => any::<bool>().prop_map(|on| Step::Tell(Event::Material(on))),
            5 => Just(Step::Tell(Event::Live)),
            4 => (0..30_000u64).prop_map(Step::Pass),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn whatever_happens(
            steps in prop::collection::vec(step(), 0..80),
            interleave in prop_oneof![Just(0.0), Just(0.3), Just(1.0)],
            seed in any::<u64>(),
        ) {
            let mut world = World::new(interleave, seed);
            let (mut watched, mut blocked, mut material, mut last_live) = (None, false, false, None);
            for step in steps {
                let (turn, live) = match step {
                    Step::Tell(event) => {
                        match event {
                            Event::Watched(true) => drop(watched.get_or_insert(world.now)),
                            Event::Watched(false) => watched = None,
                            Event::Blocked(now) => blocked = now,
                            Event::Material(now) => material = now,
                            Event::Live if !blocked => last_live = Some(world.now),
                            Event::Live => {}
                        }
                        (world.tell(event), event == Event::Live)
                    }
                    Step::Pass(ms) => {
                        world.pass(Duration::from_millis(ms));
                        (world.turn(), false)
                    }
                };
                let now = world.now;
                let mut random = world.random.clone();
                let stretch = world.schedule.stretches.is_on(now, &world.schedule.plan.privacy, &mut || random.f64());
                prop_assert!(!turn.playing || turn.cut, "never a live picture between recorded ones");
                prop_assert!(!turn.show || turn.playing);
                prop_assert!(!turn.back || live && !turn.cut);
                let Some(since) = watched else {
                    prop_assert!(!turn.playing && world.schedule.deadline(now).is_none(), "nobody watches");
                    prop_assert!(turn.cut || interleave == 0.0, "nothing passes unseen");
                    continue;
                };
                prop_assert!(world.schedule.deadline(now).is_none_or(|due| due > now), "no turn follows at once");
                if stretch && material {
                    prop_assert!(turn.cut && turn.playing, "a stretch is on");
                }
                if live && !blocked && !stretch {
                    prop_assert!(!turn.cut, "a live picture that is there is seen");
                }
                let gone = now >= since + seconds(10) && last_live.is_none_or(|last| now >= last + seconds(10));
                if material && (blocked || gone) {
                    prop_assert!(turn.playing, "there is something to be seen");
                }
                if !material && !stretch {
                    prop_assert!(!turn.cut);
                }
            }
        }
    }
}
