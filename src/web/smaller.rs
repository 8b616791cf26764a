//! Pictures made smaller, once for all who want the same: `snapshot.jpg?width=320`.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    capture::encode::Encoder,
    config::{CameraName, PictureConfig, Size},
    feed::{Frame, FrameId},
    picture::{Steps, Turn, decode},
};

/// How many sizes of a camera's newest picture are kept.
const MOST: usize = 4;

/// JPEG quality of smaller pictures.
const QUALITY: u8 = 80;

/// How many pictures are made smaller at a time: the daemon has other things to do, and each takes memory.
const AT_A_TIME: usize = 2;

/// Makes a picture smaller, or says why it can't.
pub(crate) type Scale = fn(&[u8], u16) -> Result<Vec<u8>, String>;

/// The JPEG, `width` pixels wide, and as high as its ratio asks.
pub(super) fn scale(jpeg: &[u8], width: u16) -> Result<Vec<u8>, String> {
    let size = Size { width: width.into(), height: u16::MAX.into() };
    let planes = decode(jpeg).map_err(|error| error.to_string())?;
    let config = PictureConfig { max_size: Some(size), ..PictureConfig::default() };
    let planes = Steps::new(&config, Turn::NONE, "", "").apply(planes, Turn::NONE, UNIX_EPOCH);
    let mut encoder = Encoder::new(QUALITY).map_err(|error| error.to_string())?;
    encoder.encode_planes(&planes).map(<[u8]>::to_vec).map_err(|error| error.to_string())
}

/// The smaller pictures that were asked for. Clones share them.
#[derive(Clone)]
pub(crate) struct Smaller {
    kept: Arc<Mutex<Vec<Kept>>>,
    places: Arc<Semaphore>,
    scale: Scale,
}

struct Kept {
    camera: CameraName,
    id: FrameId,
    width: u16,
    /// It is made for as long as somebody waits or it is kept.
    picture: Shared<BoxFuture<'static, Option<Bytes>>>,
}

impl Smaller {
    pub(crate) fn new(scale: Scale) -> Self {
        Self { kept: Arc::default(), places: Arc::new(Semaphore::new(AT_A_TIME)), scale }
    }

    /// The JPEG, `width` pixels wide and as high as its ratio asks; nothing where the picture is no wider, or
    /// can't be made smaller.
    pub(crate) async fn get(&self, camera: &CameraName, frame: &Arc<Frame>, width: u16) -> Option<Bytes> {
        if width >= frame.width {
            return None;
        }
        self.find(camera, frame, width).await
    }

    fn find(
        &self,
        camera: &CameraName,
        frame: &Arc<Frame>,
        width: u16,
    ) -> Shared<BoxFuture<'static, Option<Bytes>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of_camera = |kept: &Kept| kept.camera == *camera;
        if let Some(one) =
            kept.iter().find(|kept| of_camera(kept) && (kept.id, kept.width) == (frame.id, width))
        {
            return one.picture.clone();
        }
        let picture = self.make(Arc::clone(frame), width);
        // Of the newest picture only; an older one, of a request that was slow, is for that request alone.
        kept.retain(|kept| !of_camera(kept) || kept.id >= frame.id);
        if !kept.iter().any(|kept| of_camera(kept) && kept.id > frame.id) {
            if kept.iter().filter(|kept| of_camera(kept)).count() >= MOST
                && let Some(oldest) = kept.iter().position(of_camera)
            {
                kept.remove(oldest);
            }
            kept.push(Kept { camera: camera.clone(), id: frame.id, width, picture: picture.clone() });
        }
        picture
    }

    fn make(&self, frame: Arc<Frame>, width: u16) -> Shared<BoxFuture<'static, Option<Bytes>>> {
        let (places, scale) = (Arc::clone(&self.places), self.scale);
        // In a task of its own: whoever asked first may leave, and the others have it all the same.
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            let place = places.acquire_owned().await.ok()?;
            let made = tokio::task::spawn_blocking(move || {
                let _place = place;
                scale(&frame.jpeg, width)
            });
            match made.await {
                Ok(Ok(jpeg)) => Some(Bytes::from(jpeg)),
                Ok(Err(why)) => {
                    tracing::debug!(%why, "a picture can't be made smaller");
                    None
                }
                Err(_) => None,
            }
        }));
        async move { task.await.ok().flatten() }.boxed().shared()
    }
}

impl fmt::Debug for Smaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smaller").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::{Instant, SystemTime},
    };

    use super::*;

    fn frame(id: u64) -> Arc<Frame> {
        let (id, jpeg) = (id.to_string().parse().unwrap(), Bytes::from(vec![id as u8]));
        Arc::new(Frame {
            id,
            taken: SystemTime::now(),
            recorded: false,
            read: Instant::now(),
            width: 640,
            height: 480,
            jpeg,
        })
    }

    fn camera(name: &str) -> CameraName {
        name.parse().unwrap()
    }

    /// The picture's only byte and the width.
    fn told(jpeg: &[u8], width: u16) -> Result<Vec<u8>, String> {
        Ok(vec![jpeg[0], width as u8])
    }

    #[test]
    fn a_picture_becomes_as_wide_as_was_asked_and_keeps_its_ratio() {
        for (size, width, expected) in [
            ((640, 480), 320, (320, 240)),
            ((1280, 720), 16, (16, 9)),
            ((33, 17), 32, (32, 16)),
            ((100, 2000), 50, (50, 1000)),
        ] {
            let pixels = vec![[200, 100, 50]; usize::from(size.0) * usize::from(size.1)].concat();
            let mut jpeg = Vec::new();
            let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
            encoder.encode(&pixels, size.0, size.1, jpeg_encoder::ColorType::Rgb).unwrap();
            let smaller = scale(&jpeg, width).unwrap();
            let info = crate::jpeg::inspect(&smaller).unwrap();
            assert_eq!((info.width, info.height), expected, "{size:?}");
            let mut decoder = jpeg_decoder::Decoder::new(&smaller[..]);
            let near =
                |pixel: &[u8]| pixel.iter().zip([200, 100, 50]).all(|(a, b): (&u8, u8)| a.abs_diff(b) < 8);
            assert!(decoder.decode().unwrap().chunks(3).all(near), "{size:?}");
        }
        assert!(scale(b"no picture", 100).is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_size_is_made_once_however_many_ask_and_whoever_leaves() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let smaller = Smaller::new(|jpeg, width| {
            MADE.fetch_add(1, Ordering::SeqCst);
            told(jpeg, width)
        });
        let (tank, frame) = (camera("tank"), frame(7));
        // Asks, and leaves at once.
        assert!(smaller.find(&tank, &frame, 100).now_or_never().is_none());
        let asking: Vec<_> = (0..50)
            .map(|_| {
                let (smaller, tank, frame) = (smaller.clone(), tank.clone(), frame.clone());
                tokio::spawn(async move { smaller.get(&tank, &frame, 100).await })
            })
            .collect();
        for asking in asking {
            assert_eq!(asking.await.unwrap().unwrap(), vec![7, 100]);
        }
        assert_eq!(MADE.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn few_are_made_at_a_time() {
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static MOST_EVER: AtomicUsize = AtomicUsize::new(0);
        let smaller = Smaller::new(|jpeg, width| {
            MOST_EVER.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Long enough that the others would begin if they could.
            std::thread::sleep(std::time::Duration::from_millis(10));
            NOW.fetch_sub(1, Ordering::SeqCst);
            told(jpeg, width)
        });
        let (tank, frame) = (camera("tank"), frame(7));
        let asking: Vec<_> = (16..36).map(|width| smaller.find(&tank, &frame, width)).collect();
        for made in futures_util::future::join_all(asking).await {
            assert!(made.is_some());
        }
        assert!(MOST_EVER.load(Ordering::SeqCst) <= AT_A_TIME);
    }

    #[tokio::test]
    async fn a_picture_is_never_made_larger() {
        let smaller = Smaller::new(told);
        for width in [640, 641, u16::MAX] {
            assert_eq!(smaller.get(&camera("tank"), &frame(1), width).await, None);
        }
        assert!(smaller.get(&camera("tank"), &frame(1), 639).await.is_some());
    }

    #[tokio::test]
    async fn what_cannot_be_made_smaller_is_nothing() {
        let smaller = Smaller::new(|_, _| Err("broken".to_owned()));
        assert_eq!(smaller.get(&camera("tank"), &frame(1), 100).await, None);
        let smaller = Smaller::new(|_, _| panic!("a defect of the decoder"));
        assert_eq!(smaller.get(&camera("tank"), &frame(1), 100).await, None);
    }

    #[tokio::test]
    async fn a_few_sizes_of_the_newest_picture_of_each_camera_are_kept() {
        let smaller = Smaller::new(told);
        let kept = |smaller: &Smaller| smaller.kept.lock().unwrap().len();
        let (one, two) = (camera("one"), camera("two"));
        for width in 16..200 {
            assert_eq!(smaller.get(&one, &frame(1), width).await.unwrap(), vec![1, width as u8]);
            assert_eq!(smaller.get(&two, &frame(1), width).await.unwrap(), vec![1, width as u8]);
        }
        assert_eq!(kept(&smaller), 2 * MOST);
        assert_eq!(smaller.get(&one, &frame(2), 50).await.unwrap(), vec![2, 50]);
        assert_eq!(kept(&smaller), 1 + MOST);
        // A late one is answered, and not kept.
        assert_eq!(smaller.get(&one, &frame(1), 50).await.unwrap(), vec![1, 50]);
        assert_eq!(kept(&smaller), 1 + MOST);
    }
}
