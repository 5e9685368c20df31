package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/weerklank/weerklank/bot"
)

// syncsFail is what the program logs in a test when its syncs begin to fail.
const syncsFail = "every sync fails from here on"

// failSyncsOnSignal makes every sync of this process fail, as a broken disk does, from SIGUSR1 on: the kernel itself
// answers the calls with an error (seccomp), for all threads.
func failSyncsOnSignal() {
	hit := make(chan os.Signal, 1)
	signal.Notify(hit, syscall.SIGUSR1)
	go func() {
		<-hit
		if err := failSyncs(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitUsage)
		}
		fmt.Fprintln(os.Stderr, syncsFail)
	}()
}

func failSyncs() error {
	const load, equal, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	prog := []unix.SockFilter{
		{Code: load}, // the number of the call
		{Code: equal, K: unix.SYS_FSYNC, Jt: 2},
		{Code: equal, K: unix.SYS_FDATASYNC, Jt: 1},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EIO)},
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	p := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&p)))
	runtime.KeepAlive(prog)
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// A sync that fails ends the program, and nothing more is confirmed: what the disk holds is unknown. The next start looks
// at the file first, and what was confirmed before is there (TRUST 12, S8).
func TestFailedSyncEndsTheProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, &sums{rounds: map[bot.RoundState]int{}})
	p := w.begin(0)
	ctx := context.Background()
	w.switchOn(ctx)
	w.call.post(ctx, "irma", "/control", url.Values{"place": {crew[0]}, "do": {"next"}})
	poll := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: never\n%s", what, p.log)
			}
		}
	}
	poll("a question", func() bool { _, ok := w.chat.prompt(crew[0]); return ok })
	submit := func(person, text string) string {
		who := w.people[0]
		for _, p := range w.people {
			if p.ID == person {
				who = p
			}
		}
		f, ok := who.openForm(ctx, w, crew[0])
		if !ok {
			return "no form"
		}
		values := f.hidden
		values.Set("f.text", text)
		values.Set("f.share", string(bot.ShareQuote))
		page, ok := w.call.post(ctx, person, "/form", values)
		if !ok {
			return "no answer"
		}
		if strings.Contains(dialog(page), "Bewaard, zonder naam") {
			w.ledger.confirm(place{person, f.round}, held{texts: []string{text}, share: bot.ShareQuote})
			return "kept"
		}
		return dialog(page)
	}
	if said := submit("cor", "Voor de breuk."); said != "kept" {
		t.Fatal(said)
	}
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	poll("failing syncs", func() bool { return strings.Contains(p.log.String(), syncsFail) })
	began := time.Now()
	for _, person := range []string{"dewi", "emre", "lotte"} {
		if said := submit(person, "Na de breuk."); said == "kept" {
			t.Errorf("%s's reply was confirmed, and no sync went well", person)
		}
	}
	select {
	case <-p.ended:
	case <-time.After(shutdownTime + time.Second):
		t.Fatalf("it goes on\n%s", p.log)
	}
	t.Logf("ended with %d, %v after the first failure", p.code, time.Since(began).Round(time.Millisecond))
	if p.code != exitFailure || !strings.Contains(p.log.String(), "the store takes nothing more") {
		t.Errorf("exit code %d\n%s", p.code, p.log)
	}
	if _, err := os.Stat(filepath.Join(w.dir, running)); err != nil {
		t.Errorf("the mark that makes the next start look is gone: %v", err)
	}
	p = w.begin(0)
	for _, who := range w.people {
		if who.ID == "cor" {
			if f, ok := who.openForm(ctx, w, crew[0]); !ok || f.text != "Voor de breuk." {
				t.Errorf("what was confirmed before reads %q now (%v)", f.text, ok)
			}
		}
	}
	w.terminate(p)
}
