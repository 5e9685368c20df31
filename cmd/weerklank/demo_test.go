package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// lived is the program in a directory in which the sample crew has lived through a season, not running yet.
func lived(t *testing.T) (*parts, config, *env) {
	t.Helper()
	c := defaultConfig()
	c.Help.Adviser, c.DataDir, c.Workspace.Enabled = "Sam", t.TempDir(), true
	c.Team.QuietHours, c.Team.WorkdaysOnly, c.Team.Holidays = "", false, []string{}
	e := &env{stdout: io.Discard, stderr: io.Discard, lang: prompts.English}
	p, err := build(t.Context(), e, c, newLog(c, io.Discard), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil { // a second time does nothing
			t.Error(err)
		}
	})
	if err := p.layPast(t.Context(), prompts.Dutch, time.Now()); err != nil {
		t.Fatal(err)
	}
	return p, c, e
}

// configOf writes a configuration with that data directory and returns its path.
func configOf(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "data_dir = %q\n", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The sample crew has lived through a season; then the clock can be turned forward through a whole season more, its vote
// included, and every control says why it does nothing.
func TestDemoClock(t *testing.T) {
	ctx := context.Background()
	p, _, _ := lived(t)
	team := func() bot.Team {
		t.Helper()
		team, err := p.db.Team(ctx, demoTeam)
		if err != nil {
			t.Fatal(err)
		}
		return team
	}
	if now := team(); now.Season != 2 || now.SeasonRounds < 1 || now.SeasonRounds > 3 {
		t.Errorf("after the sample season: %+v", now)
	}
	rounds, err := p.db.Rounds(ctx, demoTeam)
	if err != nil {
		t.Fatal(err)
	}
	follows := map[bot.RoundState]int{}
	for _, r := range rounds {
		if r.Kind == bot.RoundFollow {
			follows[r.State]++
		}
	}
	if follows[bot.RoundGivenBack] < 5 || follows[bot.RoundTooFew] < 2 {
		t.Errorf("follow-ups of the sample season: %v", follows)
	}
	p.ws.Use(p.bot.Handle)
	controls := p.controls()
	turn := func(control func(context.Context, bot.TeamID) (string, error), want string) {
		t.Helper()
		key, err := control(ctx, demoTeam)
		if err != nil || key != want {
			t.Fatalf("%q %v, want %q; %+v", key, err, want, team())
		}
		if _, err := p.bot.Send(ctx, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	asked := map[prompts.ID]bool{}
	for team().Vote == "" {
		before := team()
		want := ""
		if before.SeasonRounds == 12 && before.Open != "" {
			want = "ws.vote-open"
		}
		turn(controls.Next, want)
		if want != "" {
			break
		}
		r, err := p.db.Round(ctx, team().Open)
		if err != nil || r.State != bot.RoundOpen || asked[r.Prompt.ID] {
			t.Fatalf("%s %s %v", r.Prompt.ID, r.State, err)
		}
		asked[r.Prompt.ID] = true
		turn(controls.Colleagues, "ws.did-answer")
	}
	if len(asked) < 8 {
		t.Errorf("%d questions before the season ended", len(asked))
	}
	turn(controls.Colleagues, "ws.did-vote")
	turn(controls.Close, "")
	if now := team(); now.Season != 3 || now.State != bot.TeamOn || now.Vote != "" {
		t.Errorf("after the vote: %+v", now)
	}
	turn(controls.Close, "ws.nothing-open")
	turn(controls.Colleagues, "ws.did-answer") // the question that the last give-back ended with
	turn(controls.LookBack, "ws.look-back-due")
	turn(controls.LookBack, "ws.look-back-due")
	if key, err := controls.Next(ctx, "workspace:werkplaats"); key != "ws.not-on" || err != nil {
		t.Errorf("%q %v", key, err)
	}
}

// The operator holds a round's answers beyond retention and lets them go, by number, without a running bot.
func TestHoldCommand(t *testing.T) {
	p, c, _ := lived(t)
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	file := configOf(t, c.DataDir)
	do := func(want string, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		code := run(t.Context(), append([]string{"hold", "--config", file}, args...), func(string) (string, bool) { return "", false }, strings.NewReader(""), &out, &out)
		if code != exitOK || !strings.Contains(out.String(), want) {
			t.Fatalf("%v: %d, want %q:\n%s", args, code, want, &out)
		}
		return out.String()
	}
	list := do("erased after")
	_, rest, _ := strings.Cut(list, "round ")
	number, _, _ := strings.Cut(rest, " ")
	do("not erased until", "--team", string(demoTeam), "--round", number)
	do("HELD")
	do("erased on their day", "--team", string(demoTeam), "--round", number, "--end")
	if after := do("erased after"); after != list {
		t.Errorf("%s\nbefore:\n%s", after, list)
	}
}

// What a team has seen comes out as text and data, with a manifest whose sums are right; nothing is overwritten.
func TestExportCommand(t *testing.T) {
	p, c, _ := lived(t)
	dir, file, out := c.DataDir, configOf(t, c.DataDir), filepath.Join(t.TempDir(), "out.zip")
	export := func(team, to string) (int, string) {
		var said bytes.Buffer
		code := run(t.Context(), []string{"export", "--config", file, "--team", team, "--out", to}, func(string) (string, bool) { return "", false }, strings.NewReader(""), &said, &said)
		return code, said.String()
	}
	if code, said := export(string(demoTeam), out); code != exitFailure || !strings.Contains(said, "Start the bot") {
		t.Errorf("without a bot: %d %s", code, said)
	}
	ctx, stop := context.WithCancel(t.Context())
	l := newListeners(ctx, newLog(c, io.Discard), func(error) {})
	if _, err := l.add("control socket", "unix", filepath.Join(dir, controlSocket), p.control()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop()
		l.closeIntake(t.Context())
		if err := l.close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if code, said := export("workspace:nergens", out); code != exitFailure || !strings.Contains(said, "weerklank status") {
		t.Errorf("another team: %d %s", code, said)
	}
	if code, said := export(string(demoTeam), out); code != exitOK {
		t.Fatalf("%d %s", code, said)
	}
	if code, said := export(string(demoTeam), out); code != exitFailure || !strings.Contains(said, "Choose a name") {
		t.Errorf("over another file: %d %s", code, said)
	}
	z, err := zip.OpenReader(out)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	content := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if content[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	var m manifest
	if err := json.Unmarshal(content["manifest.json"], &m); err != nil || m.ID != demoTeam || m.Rounds < 12 || len(m.SHA256) != len(content)-1 {
		t.Errorf("%+v %v", m, err)
	}
	for name, sum := range m.SHA256 {
		if got := sha256.Sum256(content[name]); hex.EncodeToString(got[:]) != sum {
			t.Errorf("the sum of %s is wrong", name)
		}
	}
	for _, want := range []string{"# Wat ", "de vraag", "de terugblik", "wat gedeeld mocht worden", "voor het gesprek"} {
		if !strings.Contains(string(content["seen.md"]), want) {
			t.Errorf("the document lacks %q", want)
		}
	}
}

// With rounds open and no key slot at all, most likely a disk is not there: nothing starts, and nothing is lost, before
// the operator says that they are gone for good.
func TestKeysThatAreNotThere(t *testing.T) {
	p, c, e := lived(t)
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(c.DataDir, keysDir)
	if err := os.Rename(keys, keys+"-elsewhere"); err != nil {
		t.Fatal(err)
	}
	_, err := build(t.Context(), e, c, newLog(c, io.Discard), nil)
	var hint hinted
	if !errors.As(err, &hint) || !strings.Contains(hint.hint, "--keys-lost") {
		t.Fatalf("%v", err)
	}
	if err := errors.Join(os.Remove(keys), os.Rename(keys+"-elsewhere", keys)); err != nil {
		t.Fatal(err)
	}
	if p, err = build(t.Context(), e, c, newLog(c, io.Discard), nil); err != nil {
		t.Fatal(err)
	}
	if team, err := p.db.Team(t.Context(), demoTeam); err != nil || team.Open == "" {
		t.Errorf("the open round is lost: %+v %v", team, err)
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(keys); err != nil {
		t.Fatal(err)
	}
	c.keysLost = true
	if p, err = build(t.Context(), e, c, newLog(c, io.Discard), nil); err != nil {
		t.Fatal(err)
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
}

// The past of the sample crew shows what comes of a tension: it was talked about, something was tried and looked back on,
// something was passed on and answered, and the questions that give-backs end with were answered without a name.
func TestDemoPast(t *testing.T) {
	ctx := context.Background()
	p, _, _ := lived(t)
	team, err := p.db.Team(ctx, demoTeam)
	if err != nil {
		t.Fatal(err)
	}
	rounds, err := p.db.Rounds(ctx, demoTeam)
	if err != nil {
		t.Fatal(err)
	}
	var follows, said, looks, news, mirrored int
	for _, r := range rounds {
		said, news = said+len(r.Statements), news+len(r.News)
		if r.Tally != nil {
			for _, n := range r.Tally.Mirror {
				mirrored += n
			}
		}
		if r.Kind == bot.RoundFollow && r.State == bot.RoundGivenBack {
			follows++
		}
		if r.About != nil {
			looks++
		}
	}
	if follows < 5 || said == 0 || looks == 0 || news == 0 || mirrored == 0 {
		t.Errorf("%d follow-ups given back, %d statements, %d look-backs, %d new words, %d confirmed guesses", follows, said, looks, news, mirrored)
	}
	var tried, answered bool
	for _, a := range team.Agreements {
		t.Logf("%s %q looked back %v, promise %v, answer %+v", a.Choice, a.Line, a.LookedBack, a.Promise, a.Answer)
		tried = tried || a.Choice == bot.AgreeTry && !a.LookedBack.IsZero()
		answered = answered || a.Choice == bot.AgreePass && a.Answer != nil
	}
	if !tried || !answered {
		t.Errorf("nothing was looked back on (%v), or nothing was answered (%v): %+v", tried, answered, team.Agreements)
	}
}
