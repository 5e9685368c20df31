package store

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// recorder writes down what this process asks of the disk: the kernel stops at every call that changes a file, a name or
// what is durable, and tells it before it does it (seccomp user notification). So the record holds what the program and
// its libraries really do, syncs left out or in the wrong place included. It cannot be taken off again: record in a
// process of its own.
type recorder struct {
	base string

	mu   sync.Mutex
	log  []op
	ids  map[uint64]int // inode -> file
	news map[string]int // names that were just made, whose inode is not known yet
	made int
	done bool
}

// notification is the kernel's struct seccomp_notif.
type notification struct {
	id         uint64
	pid, flags uint32
	nr         int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

// permission is the kernel's struct seccomp_notif_resp.
type permission struct {
	id    uint64
	val   int64
	errno int32
	flags uint32
}

// record starts recording what happens below base.
func record(base string) (*recorder, error) {
	calls := []uint32{unix.SYS_PWRITE64, unix.SYS_FTRUNCATE, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNCFS, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2,
		unix.SYS_LINKAT, unix.SYS_UNLINKAT}
	fd, err := stopAt(calls, unix.SECCOMP_RET_USER_NOTIF, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
	if err != nil {
		return nil, err
	}
	r := &recorder{base: base, ids: map[uint64]int{}, news: map[string]int{}}
	go r.follow(fd)
	return r, nil
}

// stopAt makes every thread of this process stop at the given calls, and at every open that may make a file if notified.
func stopAt(calls []uint32, what uint32, flags uintptr) (fd int, err error) {
	const load, equal, set, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	prog := []unix.SockFilter{{Code: load, K: 0}}
	for i, nr := range calls {
		prog = append(prog, unix.SockFilter{Code: equal, K: nr, Jt: uint8(len(calls) - 1 - i + 4)}) // over the rest, to the stop
	}
	prog = append(prog,
		unix.SockFilter{Code: equal, K: unix.SYS_OPENAT, Jf: 2},
		unix.SockFilter{Code: load, K: 32}, // the flags of openat
		unix.SockFilter{Code: set, K: unix.O_CREAT, Jt: 1},
		unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: ret, K: what},
	)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	p := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	n, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags|unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&p)))
	runtime.KeepAlive(prog)
	if errno != 0 {
		return 0, fmt.Errorf("seccomp: %w", errno)
	}
	return int(n), nil
}

// follow hears of every call and lets it go on.
func (r *recorder) follow(fd int) {
	for {
		var n notification
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n))); errno != 0 {
			if errno == unix.EINTR || errno == unix.ENOENT {
				continue
			}
			panic(errno)
		}
		r.mu.Lock()
		before := len(r.log)
		r.note(&n)
		allow := permission{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&allow))); errno != 0 {
			r.log = r.log[:before] // the call was broken off by a signal, and comes again
		}
		r.mu.Unlock()
	}
}

func (r *recorder) note(n *notification) {
	if r.done {
		return
	}
	for name, id := range r.news { // made by now, since calls come one after the other
		var st unix.Stat_t
		if unix.Lstat(filepath.Join(r.base, name), &st) == nil {
			r.ids[st.Ino] = id
		}
	}
	clear(r.news)
	switch n.nr {
	case unix.SYS_PWRITE64:
		if f, _, ok := r.file(n.args[0]); ok {
			r.log = append(r.log, op{Do: doWrite, File: f, Off: int64(n.args[3]), Data: memory(n.args[1], int(n.args[2]))})
		}
	case unix.SYS_FTRUNCATE:
		if f, _, ok := r.file(n.args[0]); ok {
			r.log = append(r.log, op{Do: doTruncate, File: f, Off: int64(n.args[1])})
		}
	case unix.SYS_FSYNC, unix.SYS_FDATASYNC:
		if f, dir, ok := r.file(n.args[0]); ok {
			r.log = append(r.log, op{Do: doSync, File: f, Name: dir})
		}
	case unix.SYS_SYNCFS:
		r.log = append(r.log, op{Do: doSyncAll})
	case unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINKAT:
		from, ok := r.name(n.args[0], n.args[1])
		to, ok2 := r.name(n.args[2], n.args[3])
		do := doRename
		if n.nr == unix.SYS_LINKAT {
			do = doLink
		}
		var st unix.Stat_t
		exists := unix.Lstat(filepath.Join(r.base, to), &st) == nil
		if ok && ok2 && (do == doRename || !exists) {
			r.log = append(r.log, op{Do: do, Name: from, To: to})
		}
	case unix.SYS_UNLINKAT:
		if name, ok := r.name(n.args[0], n.args[1]); ok {
			r.log = append(r.log, op{Do: doUnlink, Name: name})
		}
	case unix.SYS_OPENAT:
		name, ok := r.name(n.args[0], n.args[1])
		var st unix.Stat_t
		if ok && unix.Lstat(filepath.Join(r.base, name), &st) == unix.ENOENT {
			r.made++
			r.news[name] = r.made
			r.log = append(r.log, op{Do: doCreate, Name: name, File: r.made})
		}
	}
}

// file finds which file, or which directory, a descriptor is of. ok: it lies below base.
func (r *recorder) file(fd uint64) (id int, dir string, ok bool) {
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", int32(fd)))
	rel, below := strings.CutPrefix(path, r.base+"/")
	if err != nil || !below {
		return 0, "", false
	}
	var st unix.Stat_t
	if unix.Fstat(int(int32(fd)), &st) != nil {
		return 0, "", false
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return 0, rel, true
	}
	id, ok = r.ids[st.Ino]
	if !ok {
		panic("a file that was never made: " + rel)
	}
	return id, "", true
}

func (r *recorder) name(dirfd, at uint64) (string, bool) {
	page := uint64(os.Getpagesize())
	raw := memory(at, int(page-at%page))
	name, _, whole := bytes.Cut(raw, []byte{0})
	if !whole { // it goes on in the next page, which need not be there for one that ends in this
		more, _, _ := bytes.Cut(memory(at+uint64(len(raw)), int(page)), []byte{0})
		name = append(name, more...)
	}
	path := string(name)
	if !filepath.IsAbs(path) {
		dir, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", int32(dirfd)))
		if err != nil {
			return "", false
		}
		path = filepath.Join(dir, path)
	}
	return strings.CutPrefix(path, r.base+"/")
}

// memory copies what stands at an address of this process.
func memory(at uint64, n int) []byte {
	out := make([]byte, n)
	if n == 0 {
		return out
	}
	local := []unix.Iovec{{Base: &out[0]}}
	local[0].SetLen(n)
	got, err := unix.ProcessVMReadv(os.Getpid(), local, []unix.RemoteIovec{{Base: uintptr(at), Len: n}}, 0)
	if err != nil {
		panic(err)
	}
	return out[:got]
}

// mark says in the record what the program knows by now.
func (r *recorder) mark(m mark) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, op{Do: doMark, Mark: m})
}

// The environment of the process that records.
const recordEnv = "WEERKLANK_RECORD"

func TestMain(m *testing.M) {
	base := os.Getenv(recordEnv)
	if base == "" {
		os.Exit(m.Run())
	}
	r, err := record(base)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	err = liveThrough(r)
	r.mu.Lock()
	r.done = true
	r.mu.Unlock()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := gob.NewEncoder(os.Stdout).Encode(r.log); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
