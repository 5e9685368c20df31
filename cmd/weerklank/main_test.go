package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weerklank/weerklank/prompts"
)

func TestMain(m *testing.M) {
	if len(os.Args) >= 4 && (os.Args[2] == verifyChild || os.Args[2] == inspectChild) { // a child that checks a store's file for a program inside a test
		main()
	}
	testscript.Main(m, map[string]func(){"weerklank": main, turned: mainTurned})
}

// unset is an environment with nothing in it.
func unset(string) (string, bool) { return "", false }

// The command line as people use it, one script a story.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "C.UTF-8")
			e.Setenv("LC_ALL", "")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// waitfor PATTERN waits until a program that runs in the background made a file.
			"waitfor": func(ts *testscript.TestScript, _ bool, args []string) {
				deadline := time.Now().Add(20 * time.Second)
				for {
					found, err := filepath.Glob(ts.MkAbs(args[0]))
					ts.Check(err)
					if len(found) > 0 {
						return
					}
					if time.Now().After(deadline) {
						ts.Fatalf("%s never came", args[0])
					}
					<-time.After(20 * time.Millisecond)
				}
			},
			// agekey FILE VARIABLE makes a pair of keys: the secret one in a file, the public one in a variable.
			"agekey": func(ts *testscript.TestScript, _ bool, args []string) {
				key, err := age.GenerateX25519Identity()
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("# a pair for a test\n"+key.String()+"\n"), 0o600))
				ts.Setenv(args[1], key.Recipient().String())
			},
			// cut FILE BYTES shortens a file.
			"cut": func(ts *testscript.TestScript, _ bool, args []string) {
				size, err := strconv.ParseInt(args[1], 10, 64)
				ts.Check(err)
				ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
			},
			// spoil FILE FROM TO overwrites bytes.
			"spoil": func(ts *testscript.TestScript, _ bool, args []string) {
				raw, err := os.ReadFile(ts.MkAbs(args[0]))
				ts.Check(err)
				for i := 8192; i < len(raw) && i < 200_000; i++ {
					raw[i] ^= 0x5A
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), raw, 0o600))
			},
		},
	})
}

// The example loads, and says the defaults and nothing else.
func TestExampleConfiguration(t *testing.T) {
	e := &env{lookup: unset, lang: prompts.English}
	got, err := loadConfig(e, filepath.Join("..", "..", "config.example.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if want := defaultConfig(); !reflect.DeepEqual(got, want) {
		t.Errorf("the example differs from the defaults:\n%+v\n%+v", got, want)
	}
	raw, err := os.ReadFile(filepath.Join("..", "..", "config.example.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c := defaultConfig()
	c.fields(func(section, key string, _ reflect.Value) {
		if row, _ := locate(raw, section, key); row == 0 {
			t.Errorf("%s.%s is not in the example", section, key)
		}
	})
}

func TestEnvironmentOverrides(t *testing.T) {
	set := map[string]string{"WEERKLANK_DATA_DIR": "/x", "WEERKLANK_TEAM_LANGUAGE": "en", "WEERKLANK_TEAM_MIN_REPLIES": "7", "WEERKLANK_WORKSPACE_ENABLED": "true", "WEERKLANK_RIGHTS_EDITORS": "workspace:a,workspace:b"}
	e := &env{lookup: func(k string) (string, bool) { v, ok := set[k]; return v, ok }, lang: prompts.English}
	c, err := loadConfig(e, "")
	if err != nil || c.DataDir != "/x" || c.Team.Language != "en" || c.Team.MinReplies != 7 || !c.Workspace.Enabled || len(c.Rights.Editors) != 2 {
		t.Errorf("%+v %v", c, err)
	}
	set["WEERKLANK_TEAM_QUIET_HOURS"], set["WEERKLANK_TEAM_HOLIDAYS"], set["WEERKLANK_RIGHTS_EDITORS"] = "", "", "" // set, and empty
	c, err = loadConfig(e, "")
	if err != nil || c.Team.QuietHours != "" || len(c.Team.Holidays) != 0 || len(c.Rights.Editors) != 0 {
		t.Errorf("empty variables: %+v %v", c, err)
	}
	set["WEERKLANK_TEAM_MIN_REPLIES"] = "many"
	if _, err := loadConfig(e, ""); err == nil || !strings.Contains(err.Error(), "WEERKLANK_TEAM_MIN_REPLIES") {
		t.Error(err)
	}
}

// Every prompt from the sample crew's own work has answers of its own, the others those or the general ones; all are in
// both languages.
func TestDemoReplies(t *testing.T) {
	all, err := demoReplies()
	if err != nil {
		t.Fatal(err)
	}
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range lib.Prompts {
		own := len(p.Audience) == 1 && p.Audience[0] == "outdoor-crew"
		if own && len(all[p.ID]) < 7 {
			t.Errorf("%s has %d replies", p.ID, len(all[p.ID]))
		}
	}
	if len(all[anyPrompt]) < 7 || len(all[anyLight]) < 7 || len(all[anyFollow]) < 7 {
		t.Errorf("%d, %d and %d general replies", len(all[anyPrompt]), len(all[anyLight]), len(all[anyFollow]))
	}
	for id, replies := range all {
		if _, ok := lib.Prompt(id); !ok && id != anyPrompt && id != anyLight && id != anyFollow {
			t.Errorf("%s is no prompt", id)
		}
		for i, r := range replies {
			if (r.NL == "") != (r.EN == "") || len([]rune(r.NL)) > 600 || strings.ContainsAny(r.NL+r.EN, "!") {
				t.Errorf("%s, reply %d", id, i)
			}
			if r.NL == "" && r.Stance == "" && len(r.Tags) == 0 {
				t.Errorf("%s, reply %d says nothing", id, i)
			}
		}
	}
}

// The README's commands are the program's commands.
func TestReadme(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"go run ./cmd/weerklank demo", "go test ./..."} {
		if !bytes.Contains(raw, []byte(command)) {
			t.Errorf("the README does not show %q", command)
		}
	}
	known := map[string]bool{"help": true}
	for _, c := range commands() {
		known[c.name] = true
	}
	for _, m := range regexp.MustCompile(`(?m)(?:^|\x60)(?:\./)?weerklank ([a-z]+)`).FindAllSubmatch(raw, -1) {
		if !known[string(m[1])] {
			t.Errorf("the README names a command that is not there: %s", m[0])
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllSubmatch(raw, -1) {
		if link := string(m[1]); !strings.Contains(link, "://") {
			if _, err := os.Stat(filepath.Join("..", "..", link)); err != nil {
				t.Errorf("the README points at %s, which is not there", link)
			}
		}
	}
}

// A second start on the same data goes on where the first one was, and a demo keeps nothing else.
func TestDemoDataStays(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		_, stop := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0", "--data", dir)
		began := time.Now()
		if code := stop(); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("stopping took %v", d)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "workspace.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(raw, []byte("Ik ben Weerklank, een programma.")); n != 1 {
		t.Errorf("the announcement stands there %d times", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, stop := startProgram(t, "Weerklank demo", "demo", "--addr", "127.0.0.1:0", "--data", dir)
	defer stop()
	var stderr bytes.Buffer
	code := run(ctx, []string{"demo", "--addr", "127.0.0.1:0", "--data", dir}, unset, strings.NewReader(""), &bytes.Buffer{}, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), "Another Weerklank uses this data directory") {
		t.Errorf("two on one directory: %d %s", code, stderr.String())
	}
}
