package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// exported is what a running bot hands over: it has the keys that quotes need.
type exported struct {
	Team string       `json:"team"`
	ID   bot.TeamID   `json:"id"`
	Lang prompts.Lang `json:"lang"`
	Zone string       `json:"zone"`
	Seen []bot.Seen   `json:"seen"`
}

// exports serves what a team has seen.
func (p *parts) exports(mux *http.ServeMux) {
	mux.HandleFunc("GET /export", func(w http.ResponseWriter, r *http.Request) {
		t, err := p.db.Team(r.Context(), bot.TeamID(r.FormValue("team")))
		x := exported{Team: t.Name, ID: t.ID, Lang: t.Settings.Lang, Zone: t.Settings.Zone}
		if err == nil {
			x.Seen, err = p.bot.Export(r.Context(), t.ID)
		}
		switch {
		case errors.Is(err, bot.ErrNotFound):
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		case err != nil:
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		json.NewEncoder(w).Encode(x)
	})
}

// cmdExport is `weerklank export`: a ZIP with what a team has seen, as text and as data, and a manifest (TRUST P11).
func cmdExport(ctx context.Context, e *env, args []string) error {
	var team, out string
	c, rest, err := storeFlags(e, "export", args, func(fs *flag.FlagSet) {
		fs.StringVar(&team, "team", "", "")
		fs.StringVar(&out, "out", "", "")
	})
	if err != nil {
		return err
	}
	if team == "" || out == "" || len(rest) > 0 {
		return usageError{e.say("cli.export-which")}
	}
	raw, err := call(ctx, c, http.MethodGet, "/export?team="+url.QueryEscape(team), nil)
	var said refused
	switch {
	case errors.Is(err, errNotRunning):
		return hinted{err, e.say("cli.export-running")}
	case errors.As(err, &said) && said.text == bot.ErrNotFound.Error():
		return hinted{fmt.Errorf("there is no team %s", team), e.say("cli.export-teams")}
	case err != nil:
		return err
	}
	var x exported
	if err := json.Unmarshal(raw, &x); err != nil {
		return err
	}
	packed, err := pack(x, time.Now())
	if err != nil {
		return err
	}
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return hinted{err, e.say("cli.export-exists")}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(packed)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(out))
	}
	fmt.Fprintln(e.stdout, e.say("cli.export-done", "file", out))
	return nil
}

// manifest says what is in an export, so that it can be told later whether something changed.
type manifest struct {
	Program string            `json:"program"`
	Version string            `json:"version"`
	Made    time.Time         `json:"made"`
	Team    string            `json:"team"`
	ID      bot.TeamID        `json:"id"`
	Rounds  int               `json:"rounds"`
	Items   int               `json:"items"`
	Without string            `json:"without"`
	SHA256  map[string]string `json:"sha256"`
}

func pack(x exported, now time.Time) ([]byte, error) {
	seen, err := json.MarshalIndent(x.Seen, "", "  ")
	if err != nil {
		return nil, err
	}
	files := []struct {
		name string
		raw  []byte
	}{{"seen.md", []byte(readable(x))}, {"seen.json", append(seen, '\n')}}
	rounds := map[int]bool{}
	for _, s := range x.Seen {
		rounds[s.Round] = true
	}
	m := manifest{Program: "weerklank", Version: version(), Made: now.UTC(), Team: x.Team, ID: x.ID, Rounds: len(rounds), Items: len(x.Seen),
		Without: locale.Say(x.Lang, "cli.export-without"), SHA256: map[string]string{}}
	for _, f := range files {
		sum := sha256.Sum256(f.raw)
		m.SHA256[f.name] = hex.EncodeToString(sum[:])
	}
	list, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	files = append(files, struct {
		name string
		raw  []byte
	}{"manifest.json", append(list, '\n')})
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: now.UTC()})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.raw); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// readable is the export as a document in the team's language.
func readable(x exported) string {
	zone, err := time.LoadLocation(x.Zone)
	if err != nil {
		zone = time.UTC
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n\n%s\n", locale.Say(x.Lang, "cli.export-head", "team", x.Team), locale.Say(x.Lang, "cli.export-without"))
	for _, s := range x.Seen {
		fmt.Fprintf(&out, "\n## %s\n\n", locale.Say(x.Lang, seenKey(s.What), "round", fmt.Sprint(s.Round),
			"moment", locale.Day(x.Lang, s.At.In(zone))+s.At.In(zone).Format(" 15:04")))
		for line := range strings.SplitSeq(strings.TrimRight(s.Text, "\n"), "\n") {
			fmt.Fprintf(&out, "> %s\n", line)
		}
	}
	return out.String()
}

func seenKey(what bot.SeenKind) string {
	switch what {
	case bot.SeenGiveBack:
		return "cli.export-give-back"
	case bot.SeenQuotes:
		return "cli.export-quotes"
	case bot.SeenGuide:
		return "cli.export-guide"
	case bot.SeenWords:
		return "cli.export-words"
	case bot.SeenTold:
		return "cli.export-told"
	case bot.SeenTooFew:
		return "cli.export-too-few"
	case bot.SeenLost:
		return "cli.export-lost"
	}
	return "cli.export-question"
}
