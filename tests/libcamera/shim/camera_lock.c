/* LD_PRELOAD addition to libcamera's virtual camera, which any number of programs may open at once: real cameras
 * are locked by a POSIX lock on their media device, and answer EBUSY to the second program. This does the same with
 * the file that $EYELID_FAKE_MEDIA names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* int libcamera::Camera::acquire() */
int _ZN9libcamera6Camera7acquireEv(void *camera)
{
	const char *path = getenv("EYELID_FAKE_MEDIA");
	int (*real)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "_ZN9libcamera6Camera7acquireEv");

	if (path) {
		int fd = open(path, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return -errno;
		if (lockf(fd, F_TLOCK, 0))
			return -EBUSY;
	}
	return real(camera);
}
