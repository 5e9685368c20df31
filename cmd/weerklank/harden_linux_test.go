package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is who runs the program when the test is root, who may look into every process.
const nobody = 65534

// program prepares the real program in a folder of its own, run by somebody without rights.
func program(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "weerklank-harden-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dir, "weerklank"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	// Asked for cores of any size, the program must forbid them itself.
	cmd := exec.Command("/bin/sh", append([]string{"-c", `ulimit -c unlimited 2>/dev/null || ulimit -S -c $(ulimit -H -c); exec "$0" "$@"`}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTRACEBACK=crash", "TMPDIR="+dir, "HOME="+dir)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return cmd, dir
}

// open says what stands open of a process: its core limit, and whether others of the same user may read its memory. The
// kernel gives the files of a process that may not be dumped to root.
func open(t *testing.T, pid int) (wrong []string) {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	raw, err := os.ReadFile(filepath.Join(proc, "limits"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "Max core file size") && (fields[4] != "0" || fields[5] != "0") {
			wrong = append(wrong, strings.TrimSpace(line))
		}
	}
	for _, name := range []string{"mem", "environ", "maps"} {
		info, err := os.Stat(filepath.Join(proc, name))
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 0 {
			wrong = append(wrong, name+" belongs to user "+strconv.Itoa(int(owner)))
		}
	}
	return wrong
}

// aborted ends a process as a crash would and says whether a core was made, anywhere.
func aborted(t *testing.T, cmd *exec.Cmd, dir string) bool {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	left, err := filepath.Glob(filepath.Join(dir, "*core*"))
	if err != nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.Sys().(syscall.WaitStatus).CoreDump() || len(left) > 0
}

// Before it reads its first secret, the config, the program forbids memory dumps and looks by others; when it crashes
// there is no core (TRUST A28). The demo and the admin's commands do the same.
func TestNoMemoryDumps(t *testing.T) {
	// A process that does nothing about it is seen: the test is not blind.
	cmd, dir := program(t, "sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 200 { // until the shell has become sleep
		if raw, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "comm")); strings.TrimSpace(string(raw)) == "sleep" {
			break
		}
		<-time.After(10 * time.Millisecond)
	}
	if len(open(t, cmd.Process.Pid)) == 0 {
		t.Error("a process that forbids nothing looks as if it did")
	}
	if !aborted(t, cmd, dir) {
		t.Log("this machine makes no cores at all: only the limits are tested")
	}
	for _, args := range [][]string{{"run", "--config", "c.toml"}, {"status", "--config", "c.toml"}, {"backup", "--config", "c.toml"}} {
		t.Run(args[0], func(t *testing.T) {
			cmd, dir := program(t, append([]string{"./weerklank"}, args...)...)
			// The config is a pipe: the program waits in it, just before its first secret.
			pipe := filepath.Join(dir, "c.toml")
			if err := unix.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(pipe, os.Geteuid(), -1); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(pipe, 0o666); err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			config, err := openWhenRead(t, pipe)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range open(t, cmd.Process.Pid) {
				t.Errorf("while the config waits to be read: %s", w)
			}
			if args[0] == "run" {
				io.WriteString(config, "data_dir = \"data\"\n[workspace]\nenabled = true\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n")
				config.Close()
				if !bufio.NewScanner(out).Scan() {
					t.Error("it did not start")
				}
				for _, w := range open(t, cmd.Process.Pid) {
					t.Errorf("while it runs: %s", w)
				}
			} else {
				defer config.Close()
			}
			if aborted(t, cmd, dir) {
				t.Error("a crash leaves a core")
			}
		})
	}
	t.Run("demo", func(t *testing.T) {
		cmd, dir := program(t, "./weerklank", "demo", "--addr", "127.0.0.1:0", "--data", "data")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if !bufio.NewScanner(out).Scan() {
			t.Error("it did not start")
		}
		for _, w := range open(t, cmd.Process.Pid) {
			t.Error(w)
		}
		if aborted(t, cmd, dir) {
			t.Error("a crash leaves a core")
		}
	})
}

// openWhenRead opens a pipe for writing as soon as somebody has it open to read.
func openWhenRead(t *testing.T, pipe string) (*os.File, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		f, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil || ctx.Err() != nil {
			return f, err
		}
		<-time.After(5 * time.Millisecond)
	}
}
