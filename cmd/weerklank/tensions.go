package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// cmdTensions is `weerklank tensions suggest|list`.
func cmdTensions(ctx context.Context, e *env, args []string) error {
	if len(args) == 0 {
		return usageError{e.say("cli.tensions-which")}
	}
	var config, file, asked, graded, ids, lang string
	rest, err := flags(e, "tensions", args, func(fs *flag.FlagSet) {
		fs.StringVar(&config, "config", "", "")
		fs.StringVar(&file, "library", "", "")
		fs.StringVar(&asked, "asked", "", "")
		fs.StringVar(&graded, "score", "", "")
		fs.StringVar(&ids, "ids", "", "")
		fs.StringVar(&lang, "lang", "", "")
	})
	if err != nil {
		return err
	}
	if len(rest) == 0 || rest[0] != "suggest" && rest[0] != "list" {
		return usageError{e.say("cli.tensions-which")}
	}
	switch {
	case len(rest) > 1:
		return usageError{e.say("cli.too-many")}
	case lang != "" && !slices.Contains(prompts.Langs(), prompts.Lang(lang)):
		return usageError{e.say("cli.tensions-lang", "lang", lang)}
	case rest[0] == "list" && (asked != "" || graded != "" || ids != ""), graded == "" && ids != "":
		return usageError{e.say("cli.tensions-apart")}
	}
	lib, err := tensionLibrary(ctx, e, config, file)
	if err != nil {
		return err
	}
	if rest[0] == "list" {
		if lang != "" {
			e.lang = prompts.Lang(lang)
		}
		return listTensions(e, lib)
	}
	if _, ok := lib.Tension(prompts.TensionID(asked)); asked != "" && !ok {
		return usageError{e.say("cli.tensions-unknown", "tension", asked, "known", knownTensions(lib))}
	}
	s := suggester{env: e, scorer: bot.NewLexicon(lib), team: prompts.Lang(lang), asked: prompts.TensionID(asked)}
	if lang == "" {
		if s.team, err = teamLang(e, config); err != nil {
			return err
		}
	}
	if graded != "" {
		return s.grade(ctx, lib, graded, ids)
	}
	return s.suggest(ctx)
}

// tensionLibrary is the library in force, or that of a file. What the file leaves out comes from the one in force; a file
// of tensions alone adds to those.
func tensionLibrary(ctx context.Context, e *env, config, file string) (prompts.Library, error) {
	base, err := inForce(ctx, e, config)
	if err != nil || file == "" {
		return base, err
	}
	_, lib, err := readFile(e, file, isTable(file))
	if err != nil {
		return lib, err
	}
	if len(lib.Prompts) == 0 {
		lib = base.WithTensions(lib.Tensions)
	} else {
		lib = lib.Completed(base)
	}
	if err := lib.Validate(); err != nil {
		return lib, hinted{fmt.Errorf("%s:\n%w", file, err), e.say("cli.hint-prompts")}
	}
	return lib, nil
}

// teamLang is the language of a text that does not tell its own: the one teams get.
func teamLang(e *env, config string) (prompts.Lang, error) {
	if config == "" {
		return prompts.Dutch, nil
	}
	c, err := loadConfig(e, config)
	return prompts.Lang(c.Team.Language), err
}

func knownTensions(lib prompts.Library) string {
	var ids []string
	for _, t := range lib.Tensions {
		ids = append(ids, string(t.ID))
	}
	return strings.Join(ids, ", ")
}

// listTensions prints the definitions in force.
func listTensions(e *env, lib prompts.Library) error {
	var out strings.Builder
	for _, t := range lib.Tensions {
		fmt.Fprintf(&out, "%s  %s  (sense %s, words %s)\n", t.ID, t.Label.In(e.lang), t.Sense(), t.Words())
		d, ok := t.Definitions[e.lang]
		if d.Description != "" {
			fmt.Fprintf(&out, "  %s\n", d.Description)
		}
		for _, pole := range []struct {
			mark, text string
			cues       []string
		}{{"a", t.A.In(e.lang), d.CuesA}, {"b", t.B.In(e.lang), d.CuesB}, {"↔", "", d.CuesBoth}} {
			if line := strings.TrimSpace(pole.text); line != "" {
				fmt.Fprintf(&out, "  %s  %s\n", pole.mark, line)
			}
			if len(pole.cues) > 0 {
				mark := " "
				if pole.text == "" {
					mark = pole.mark
				}
				fmt.Fprintf(&out, "  %s  %s\n", mark, strings.Join(pole.cues, ", "))
			}
		}
		for _, s := range d.Examples {
			fmt.Fprintf(&out, "  «%s»\n", s)
		}
		if !ok {
			fmt.Fprintf(&out, "  %s\n", e.say("cli.tensions-bare"))
		}
	}
	_, err := io.WriteString(e.stdout, out.String())
	return err
}

// suggester answers for the built-in scorer on the command line.
type suggester struct {
	*env
	scorer bot.Scorer
	team   prompts.Lang
	asked  prompts.TensionID
}

type (
	suggestion struct {
		Lang   prompts.Lang `json:"lang"`
		Speaks bool         `json:"speaks"` // the strict mirror would
		Scores []scored     `json:"scores"` // the best first
	}
	scored struct {
		Tension prompts.TensionID `json:"tension"`
		Score   float64           `json:"score"`
		Words   []string          `json:"words"`
	}
)

// suggest reads one reply a line and writes one object a line.
func (s suggester) suggest(ctx context.Context) error {
	in, out := bufio.NewReader(s.stdin), bufio.NewWriter(s.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for {
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if line != "" {
			found, serr := s.scorer.Score(ctx, strings.TrimRight(line, "\r\n"), s.team)
			if serr != nil {
				return serr
			}
			if serr := enc.Encode(s.shown(strings.TrimRight(line, "\r\n"), found)); serr != nil {
				return serr
			}
			if in.Buffered() == 0 { // somebody may be typing
				if serr := out.Flush(); serr != nil {
					return serr
				}
			}
		}
		if err != nil {
			return out.Flush()
		}
	}
}

func (s suggester) shown(text string, found []bot.Evidence) suggestion {
	out := suggestion{Lang: bot.TextLang(text, s.team), Speaks: bot.Strict.Speaks(found), Scores: []scored{}}
	if s.asked != "" {
		found = bot.AskedFirst(found, s.asked)
	}
	for _, e := range found {
		words := []string{}
		for _, r := range e.Reasons {
			words = append(words, r.In(text))
		}
		out.Scores = append(out.Scores, scored{e.Tension, math.Round(e.Score*1e4) / 1e4, words})
	}
	return out
}

// gradedReply is a line of a file to grade a scorer with. Both tensions are empty for a reply about something else.
type gradedReply struct {
	lang               prompts.Lang
	setting, text      string
	primary, secondary prompts.TensionID
}

// grades are what a scorer is worth on a group of replies.
type (
	grades struct {
		Group    string   `json:"group"`
		Replies  int      `json:"replies"`
		Tensions int      `json:"tensions"` // replies about a tension
		First    *float64 `json:"first"`    // share of these where the best is the primary one
		Among2   *float64 `json:"among2"`
		AUC      *float64 `json:"auc"` // that a reply about a tension scores higher than one about something else
		Strict   spoken   `json:"strict"`
		Relaxed  spoken   `json:"relaxed"`

		first, two  int
		about, none []float64
	}
	spoken struct {
		bot.Judged
		Share float64 `json:"share"` // of the replies
	}
)

func (g *grades) add(r gradedReply, found []bot.Evidence) {
	g.Replies++
	var best, second prompts.TensionID
	var top float64
	if len(found) > 0 {
		best, top = found[0].Tension, found[0].Score
	}
	if len(found) > 1 {
		second = found[1].Tension
	}
	if r.primary == "" {
		g.none = append(g.none, top)
	} else {
		g.Tensions++
		g.about = append(g.about, top)
		if best == r.primary {
			g.first++
		}
		if best == r.primary || second == r.primary {
			g.two++
		}
	}
	for mode, j := range map[bot.Mode]*spoken{bot.Strict: &g.Strict, bot.Relaxed: &g.Relaxed} {
		if mode.Speaks(found) {
			j.Spoke++
			if r.primary != "" && (best == r.primary || best == r.secondary) {
				j.Right++
			}
		}
	}
}

// count works out the shares.
func (g *grades) count() {
	share := func(of, n float64) *float64 {
		v := math.Round(1e3*of/n) / 1e3
		return &v
	}
	for _, mode := range []*spoken{&g.Strict, &g.Relaxed} {
		mode.Share = *share(float64(mode.Spoke), float64(g.Replies))
	}
	if g.Tensions > 0 {
		g.First, g.Among2 = share(float64(g.first), float64(g.Tensions)), share(float64(g.two), float64(g.Tensions))
	}
	if len(g.about) == 0 || len(g.none) == 0 {
		return
	}
	var wins float64
	for _, a := range g.about {
		for _, b := range g.none {
			switch {
			case a > b:
				wins++
			case a == b:
				wins += 0.5
			}
		}
	}
	g.AUC = share(wins, float64(len(g.about)*len(g.none)))
}

// grade reads replies whose tension is known and says what the scorer is worth on them: all, by language, by setting.
func (s suggester) grade(ctx context.Context, lib prompts.Library, file, ids string) error {
	labels, err := s.labels(lib, ids)
	if err != nil {
		return err
	}
	replies, err := s.readGraded(lib, file, labels)
	if err != nil {
		return err
	}
	groups := map[string]*grades{}
	var order []string
	for _, r := range replies {
		found, err := s.scorer.Score(ctx, r.text, s.team)
		if err != nil {
			return err
		}
		for _, name := range []string{"all", "lang=" + string(r.lang), "setting=" + r.setting} {
			if groups[name] == nil {
				groups[name] = &grades{Group: name}
				order = append(order, name)
			}
			groups[name].add(r, found)
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return strings.Compare(kindOf(a), kindOf(b)) })
	enc := json.NewEncoder(s.stdout)
	for _, name := range order {
		groups[name].count()
		if err := enc.Encode(groups[name]); err != nil {
			return err
		}
	}
	return nil
}

func kindOf(group string) string { kind, _, _ := strings.Cut(group, "="); return kind }

// nothing says whether a label means that a reply is about something else.
func nothing(label string) bool { return slices.Contains([]string{"", "-", "none", "geen"}, label) }

// labels reads what --ids says: label=tension pairs, parted by commas or, in a file, one a line. nil: labels are IDs.
func (s suggester) labels(lib prompts.Library, ids string) (map[string]prompts.TensionID, error) {
	if ids == "" {
		return nil, nil
	}
	pairs := strings.Split(ids, ",")
	if !strings.Contains(ids, "=") {
		raw, err := os.ReadFile(ids)
		if err != nil {
			return nil, err
		}
		pairs = strings.Split(string(raw), "\n")
	}
	out := map[string]prompts.TensionID{}
	var wrong []error
	for _, pair := range pairs {
		pair = strings.TrimSpace(pair)
		if pair == "" || strings.HasPrefix(pair, "#") {
			continue
		}
		words := strings.FieldsFunc(pair, func(r rune) bool { return r == '=' || r == '\t' || r == ' ' })
		if len(words) == 1 && strings.HasSuffix(pair, "=") {
			words = append(words, "none")
		}
		switch {
		case len(words) != 2:
			wrong = append(wrong, errors.New(s.say("cli.tensions-pair", "pair", pair)))
		case nothing(words[1]):
			out[words[0]] = ""
		default:
			id := prompts.TensionID(words[1])
			if _, ok := lib.Tension(id); !ok {
				wrong = append(wrong, errors.New(s.say("cli.tensions-unknown", "tension", words[1], "known", knownTensions(lib))))
			}
			out[words[0]] = id
		}
	}
	return out, errors.Join(wrong...)
}

// readGraded reads id, lang, setting, primary, secondary and text, parted by tabs; a first line of names may stand above.
// Every line that is wrong is told at once, by its row and without its text.
func (s suggester) readGraded(lib prompts.Library, file string, labels map[string]prompts.TensionID) ([]gradedReply, error) {
	var r io.Reader = s.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var out []gradedReply
	var wrong []error
	row := 0
	for line := range strings.Lines(strings.TrimPrefix(string(raw), "\ufeff")) {
		row++
		line = strings.TrimRight(line, "\r\n")
		f := strings.Split(line, "\t")
		if line == "" || row == 1 && f[0] == "id" {
			continue
		}
		bad := func(problem string) {
			wrong = append(wrong, errors.New(s.say("cli.tensions-row", "file", file, "row", strconv.Itoa(row), "problem", problem)))
		}
		if len(f) != 6 {
			bad(s.say("cli.tensions-columns", "n", strconv.Itoa(len(f))))
			continue
		}
		g := gradedReply{lang: prompts.Lang(f[1]), setting: f[2], text: f[5]}
		if !slices.Contains(prompts.Langs(), g.lang) {
			bad(s.say("cli.tensions-lang", "lang", f[1]))
		}
		for i, to := range []*prompts.TensionID{&g.primary, &g.secondary} {
			label := f[3+i]
			id, ok := labels[label]
			if !ok && labels == nil && !nothing(label) {
				if _, ok = lib.Tension(prompts.TensionID(label)); !ok {
					bad(s.say("cli.tensions-label", "label", label))
				}
				id = prompts.TensionID(label)
			}
			*to = id
		}
		out = append(out, g)
	}
	return out, errors.Join(wrong...)
}
