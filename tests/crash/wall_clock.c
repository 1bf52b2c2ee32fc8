/* Sets the clock on the wall of the process that it is preloaded into, and no other clock of it.
 *
 * THUMBTURN_TEST_CLOCK names a file of eight bytes: by how many seconds the clock is wrong. Whoever writes
 * them sets the clock of all processes that have it, at once and without a call of theirs.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *wrong_by;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void open_clock(void)
{
    real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("THUMBTURN_TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED)
        wrong_by = page;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!real_clock_gettime)
        open_clock();
    int failed = real_clock_gettime(clock, now);
    if (!failed && wrong_by && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *wrong_by;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    struct timespec exactly;
    int failed = clock_gettime(CLOCK_REALTIME, &exactly);
    if (!failed) {
        now->tv_sec = exactly.tv_sec;
        now->tv_usec = exactly.tv_nsec / 1000;
    }
    return failed;
}

time_t time(time_t *where)
{
    struct timespec exactly;
    if (clock_gettime(CLOCK_REALTIME, &exactly))
        return (time_t)-1;
    if (where)
        *where = exactly.tv_sec;
    return exactly.tv_sec;
}
