package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/workspace"
	"github.com/weerklank/weerklank/prompts"
)

//go:embed demo/replies.toml
var demoTOML []byte

// demoReply is what a colleague of the sample crew answers.
type demoReply struct {
	Stance string   `toml:"s"`
	Tags   []string `toml:"t"`
	Share  bool     `toml:"share"`
	Typed  bool     `toml:"typed"`
	Mirror bool     `toml:"mirror"` // typed, not knowing what it is about, and saying yes to the guess
	NL     string   `toml:"nl"`
	EN     string   `toml:"en"`
}

func (r demoReply) text(lang prompts.Lang) string {
	if lang == prompts.English {
		return r.EN
	}
	return r.NL
}

// What holds the replies for prompts that have none of their own: dilemmas, what has no poles, look-backs, and the questions
// that give-backs end with.
const (
	anyPrompt = "any"
	anyLight  = "any-light"
	anyLook   = "any-look-back"
	anyFollow = "any-follow-up"
)

// demoFile is what the sample crew says.
type demoFile struct {
	Prompt []struct {
		ID    prompts.ID  `toml:"id"`
		Reply []demoReply `toml:"reply"`
	} `toml:"prompt"`
	Choice []demoChoice `toml:"choice"`
	Theme  demoTheme    `toml:"theme"`
}

// demoTheme is what some of the crew come back to in several rounds, whatever they are asked: a word that was not there before.
type demoTheme struct {
	From int      `toml:"from"` // number of the first round
	To   int      `toml:"to"`   // and of the last
	NL   []string `toml:"nl"`
	EN   []string `toml:"en"`
}

// in says what comes behind the replies of a round, one each.
func (t demoTheme) in(r bot.Round) []string {
	switch {
	case r.Kind != bot.RoundQuestion || r.Number < t.From || r.Number > t.To:
		return nil
	case r.Lang == prompts.English:
		return t.EN
	}
	return t.NL
}

var readDemo = sync.OnceValues(func() (file demoFile, err error) {
	if err = toml.NewDecoder(bytes.NewReader(demoTOML)).DisallowUnknownFields().Decode(&file); err != nil {
		err = fmt.Errorf("demo replies: %w", err)
	}
	return file, err
})

func demoReplies() (map[prompts.ID][]demoReply, error) {
	file, err := readDemo()
	all := map[prompts.ID][]demoReply{}
	for _, p := range file.Prompt {
		all[p.ID] = p.Reply
	}
	return all, err
}

func demoChoices() ([]demoChoice, error) {
	file, err := readDemo()
	return file.Choice, err
}

// demoTeam is the channel that has a past.
const demoTeam = bot.TeamID(workspace.Platform + ":buitendienst")

// demoWeeks is how long ago the sample crew began: a season of twelve rounds, a week to vote on it, and a new season with
// one round given back and one open.
const demoWeeks = 14

// cmdDemo is `weerklank demo`: the same program on the embedded workspace, with a season behind it and a panel that
// turns the clock forward.
func cmdDemo(ctx context.Context, e *env, args []string) error {
	const usual = "127.0.0.1:8480"
	addr, data, lang := usual, "", "nl"
	rest, err := flags(e, "demo", args, func(fs *flag.FlagSet) {
		fs.StringVar(&addr, "addr", addr, "")
		fs.StringVar(&data, "data", "", "")
		fs.StringVar(&lang, "lang", lang, "")
	})
	if err != nil {
		return err
	}
	switch {
	case len(rest) > 0:
		return usageError{e.say("cli.too-many")}
	case !loopback(addr):
		return usageError{e.say("cli.config-loopback")}
	case lang != "nl" && lang != "en":
		return usageError{e.say("cli.config-language")}
	}
	if addr == usual { // the usual address if it is free; any other when it is not
		if l, err := net.Listen("tcp", addr); err != nil {
			addr = "127.0.0.1:0"
		} else if err := l.Close(); err != nil {
			return err
		}
	}
	c := defaultConfig()
	if data == "" {
		if data, err = os.MkdirTemp("", "weerklank-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(data)
	}
	c.DataDir, c.Workspace.Enabled, c.Workspace.Listen, c.Admin.Listen = data, true, addr, ""
	c.Log.Level, c.Log.Format = "warn", "text"
	c.Team.QuietHours, c.Team.WorkdaysOnly, c.Team.Holidays = "", false, []string{} // whoever tries it at night sees it work
	c.Team.Language, c.Help.Adviser = lang, locale.Say(prompts.Lang(lang), "cli.demo-adviser")
	p, err := buildDemo(ctx, e, c)
	if err != nil {
		return err
	}
	if err := p.layDemo(ctx, prompts.Lang(lang), time.Now()); err != nil {
		if ctx.Err() != nil { // stopped while it laid its past: the next start begins anew
			return p.close()
		}
		return errors.Join(fmt.Errorf("lay the sample season: %w", err), p.close())
	}
	return p.serve(ctx, e, "Weerklank demo")
}

// demoMark is a file in the data directory of a demo. Until it says that the past is laid, nothing there is worth keeping.
const demoMark = "demo"

// What a demo's mark says.
const (
	demoLaying = "laying\n"
	demoLaid   = "laid\n"
)

// buildDemo makes the parts on a directory that is new or a demo's. One that was interrupted while its past was being
// laid is cleared first.
func buildDemo(ctx context.Context, e *env, c config) (*parts, error) {
	again := func() (*parts, error) {
		return build(ctx, e, c, newLog(c, e.stderr), func(p *parts) *workspace.Controls { return p.controls() })
	}
	p, err := again()
	if err != nil {
		return nil, err
	}
	mark, err := p.root.ReadFile(demoMark)
	switch {
	case err == nil && string(mark) == demoLaid:
		return p, nil
	case errors.Is(err, fs.ErrNotExist): // it may be the directory of a real bot: that is never cleared
		teams, err := p.db.Teams(ctx)
		if err == nil && (len(teams) > 0 || !p.ws.Empty()) {
			err = hinted{fmt.Errorf("%s is in use, and not by a demo", c.DataDir), e.say("cli.hint-demo-data")}
		}
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		return p, nil
	case err != nil:
		return nil, errors.Join(err, p.close())
	}
	// The names go while the store is locked, so that no other demo is in the middle of it.
	slots, err := p.keys.Slots(ctx)
	err = errors.Join(err, p.keys.Destroy(ctx, slots...), p.root.Remove(c.storeName()), p.root.Remove(chatFile), syncDir(p.root))
	if err := errors.Join(err, p.close()); err != nil {
		return nil, fmt.Errorf("clear an unfinished demo: %w", err)
	}
	return again()
}

// layDemo lays the past if there is none, and marks the directory when it is done.
func (p *parts) layDemo(ctx context.Context, lang prompts.Lang, now time.Time) error {
	if mark, err := p.root.ReadFile(demoMark); err == nil && string(mark) == demoLaid {
		return nil // it goes on where it was
	}
	if err := layFile(p.root, demoMark, demoLaying); err != nil {
		return err
	}
	if err := p.layPast(ctx, lang, now); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // a step that was cut short need not have said so
		return err
	}
	return layFile(p.root, demoMark, demoLaid)
}

// controls turn the clock forward for one team. Everything else goes its usual way. Each gives the key of what there is
// to say about it.
func (p *parts) controls() *workspace.Controls {
	// at finds the team and what is open in it; a key says why there is nothing to turn forward.
	at := func(ctx context.Context, team bot.TeamID) (t bot.Team, key string, err error) {
		t, err = p.db.Team(ctx, team)
		switch {
		case errors.Is(err, bot.ErrNotFound), err == nil && t.State != bot.TeamOn && t.Open == "" && t.Vote == "":
			return t, "ws.not-on", nil
		case err == nil && t.Open == "" && t.Vote == "":
			key = "ws.nothing-open"
			if t.Settings.Rhythm == bot.RhythmTalkOnly {
				key = "ws.nothing-to-collect"
			}
		}
		return t, key, err
	}
	open := func(ctx context.Context, team bot.TeamID) (string, error) {
		err := p.bot.Advance(ctx, team, time.Now())
		switch {
		case errors.Is(err, bot.ErrNotFound):
			return "ws.library-dry", nil
		case errors.Is(err, bot.ErrConflict):
			return "ws.not-on", nil
		}
		return "", err
	}
	answers := func(ctx context.Context, t bot.Team) (string, error) {
		id := t.Open
		switch {
		case id == "" && t.Vote != "":
			return "ws.did-vote", p.vote(ctx, t.ID, t.Vote)
		case id == "" && len(t.Follows) > 0:
			id = t.Follows[len(t.Follows)-1]
		}
		r, err := p.db.Round(ctx, id)
		if err != nil || r.State != bot.RoundOpen {
			return "ws.nothing-open", err
		}
		return "ws.did-answer", p.colleagues(ctx, r, 7, rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)))
	}
	return &workspace.Controls{
		Next: func(ctx context.Context, team bot.TeamID) (string, error) {
			t, key, err := at(ctx, team)
			if err != nil || key == "ws.not-on" {
				return key, err
			}
			if t.Open == "" && t.Vote != "" { // the vote decides first; the crew likes to go on
				if err := p.vote(ctx, t.ID, t.Vote); err != nil {
					return "", err
				}
			}
			if key == "" {
				if err := p.bot.Advance(ctx, team, time.Now()); err != nil {
					return "", err
				}
				if t, err = p.db.Team(ctx, team); err != nil || t.Vote != "" {
					return "ws.vote-open", err
				}
			}
			return open(ctx, team)
		},
		Colleagues: func(ctx context.Context, team bot.TeamID) (string, error) {
			t, key, err := at(ctx, team)
			if err != nil || key != "" && len(t.Follows) == 0 {
				return key, err
			}
			return answers(ctx, t)
		},
		Close: func(ctx context.Context, team bot.TeamID) (string, error) {
			_, key, err := at(ctx, team)
			if err != nil || key != "" {
				return key, err
			}
			return "", p.bot.Advance(ctx, team, time.Now())
		},
		LookBack: func(ctx context.Context, team bot.TeamID) (string, error) {
			err := p.bot.DueLookBack(ctx, team, time.Now())
			if errors.Is(err, bot.ErrNotFound) {
				return "ws.nothing-to-look-back", nil
			}
			return "ws.look-back-due", err
		},
	}
}

// colleagues lets n people of the sample crew answer, through the form or by typing, as anyone would.
func (p *parts) colleagues(ctx context.Context, r bot.Round, n int, random *rand.Rand) error {
	all, err := demoReplies()
	if err != nil {
		return err
	}
	file, err := readDemo()
	if err != nil {
		return err
	}
	theme := file.Theme.in(r)
	replies := all[r.Prompt.ID]
	switch {
	case r.Kind == bot.RoundFollow:
		replies = all[anyFollow]
	case len(replies) > 0:
	case r.Prompt.Kind == prompts.LookBack:
		replies = all[anyLook]
	case r.Prompt.Kind == prompts.Dilemma:
		replies = all[anyPrompt]
	default:
		replies = all[anyLight]
	}
	people := slices.DeleteFunc(crewOf(r.Team), func(id string) bool { return id == "fatima" }) // the visitor's own seat
	random.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
	for i, reply := range replies[:min(n, len(replies), len(people))] {
		if len(theme) > 0 && reply.Share && reply.NL != "" {
			reply.NL, reply.EN, theme = reply.NL+" "+theme[0], reply.EN+" "+theme[0], theme[1:]
		}
		if err := p.colleague(ctx, r, people[i], reply); err != nil {
			return err
		}
	}
	return nil
}

// crewOf are the people in a channel.
func crewOf(team bot.TeamID) []string {
	channels := workspace.DefaultSeed().Channels
	i := slices.IndexFunc(channels, func(c workspace.Channel) bool { return c.ID == channelOf(team) })
	if i < 0 {
		return nil
	}
	return slices.Clone(channels[i].Members)
}

// severalAsk says whether more than one round takes words from a person: then the bot asks which of them a message is for.
func (p *parts) severalAsk(ctx context.Context, person string) (bool, error) {
	asking := 0
	for _, c := range workspace.DefaultSeed().Channels {
		if !slices.Contains(c.Members, person) {
			continue
		}
		t, err := p.db.Team(ctx, bot.TeamID(workspace.Platform+":"+c.ID))
		if err != nil && !errors.Is(err, bot.ErrNotFound) {
			return false, err
		}
		if asking += len(t.Follows); t.Open != "" {
			asking++
		}
	}
	return asking > 1, nil
}

// channelOf is what the workspace calls a team's channel.
func channelOf(team bot.TeamID) string {
	return strings.TrimPrefix(string(team), workspace.Platform+":")
}

func (p *parts) colleague(ctx context.Context, r bot.Round, person string, reply demoReply) error {
	place := channelOf(r.Team)
	text := reply.text(r.Lang)
	if reply.Typed && text != "" {
		direct := "@" + person
		if _, err := p.ws.Type(ctx, person, direct, text, ""); err != nil {
			return err
		}
		share := bot.ShareCount
		if reply.Share {
			share = bot.ShareQuote
		}
		presses := []bot.Action{{Do: "share", Arg: string(share)}}
		if several, err := p.severalAsk(ctx, person); err != nil {
			return err
		} else if several {
			presses = slices.Insert(presses, 0, bot.Action{Do: "round"})
		}
		for _, tag := range reply.Tags {
			presses = append(presses, bot.Action{Do: "tag", Arg: tag})
		}
		if reply.Mirror {
			presses = append(presses, bot.Action{Do: "mirror", Arg: "yes"})
		}
		for _, press := range presses {
			press.Round = r.ID
			if _, err := p.ws.Press(ctx, person, direct, press); err != nil {
				return err
			}
		}
		return nil
	}
	resp, err := p.ws.Press(ctx, person, place, bot.Action{Do: "answer", Round: r.ID})
	if err != nil || resp.Form == nil {
		return err
	}
	values := map[string][]string{"tags": reply.Tags}
	if text != "" {
		values["text"], values["share"] = []string{text}, []string{string(bot.ShareCount)}
		if reply.Share {
			values["share"] = []string{string(bot.ShareQuote)}
		}
	}
	if r.Kind == bot.RoundFollow {
		delete(values, "tags")
	}
	light := r.Prompt.In(r.Lang).PoleA == ""
	if reply.Stance != "" && (!light || reply.Stance == string(bot.StanceNotMe) || reply.Stance == string(bot.StanceCounter)) {
		values["stance"] = []string{reply.Stance}
	}
	if text == "" && values["stance"] == nil {
		return nil
	}
	resp, err = p.ws.Submit(ctx, person, place, resp.Form, values, "")
	if err == nil && len(resp.Errors) > 0 {
		err = errors.New("a sample reply was refused")
	}
	return err
}

// layPast lets the sample crew live through a season, step by step through the same use cases, before anyone watches.
// Only the clock that is handed to them differs.
func (p *parts) layPast(ctx context.Context, lang prompts.Lang, now time.Time) error {
	for _, person := range workspace.DefaultSeed().People {
		if lang == prompts.English && person.Lang != lang {
			if err := p.ws.SetLang(person.ID, lang); err != nil {
				return err
			}
		}
	}
	defer p.ws.Backdate(time.Time{})
	p.ws.Use(p.bot.Handle)
	defer p.ws.Use(nil)
	start := now.AddDate(0, 0, -7*demoWeeks)
	start = time.Date(start.Year(), start.Month(), start.Day(), 9, 0, 0, 0, p.c.zone())
	for start.Weekday() != time.Monday {
		start = start.AddDate(0, 0, -1)
	}
	h := fnv.New64a()
	h.Write([]byte(start.Format(time.DateOnly)))
	random := rand.New(rand.NewPCG(h.Sum64(), 2))

	p.ws.Backdate(start)
	resp, err := p.ws.Type(ctx, "irma", "buitendienst", "/weerklank on", "")
	if err != nil || resp.Form == nil {
		return errors.Join(err, errors.New("the sample team could not be switched on"))
	}
	values := map[string][]string{"audience": {"outdoor-crew"}, "worktime": {"yes"}}
	for _, f := range resp.Form.Fields {
		if values[f.Name] == nil {
			values[f.Name] = f.Value
		}
	}
	values["lang"] = []string{string(lang)}
	if resp, err = p.ws.Submit(ctx, "irma", "buitendienst", resp.Form, values, ""); err != nil || len(resp.Errors) > 0 {
		return errors.Join(err, fmt.Errorf("the sample team could not be switched on: %d fields refused", len(resp.Errors)))
	}
	answered, followed := map[bot.RoundID]bool{}, map[bot.RoundID]bool{}
	for t := start; !t.After(now); {
		p.ws.Backdate(t)
		next, err := p.bot.Step(ctx, t)
		if err != nil {
			return err
		}
		if _, err := p.bot.Send(ctx, t); err != nil {
			return err
		}
		rounds, err := p.db.Rounds(ctx, demoTeam)
		if err != nil {
			return err
		}
		for _, r := range rounds {
			if r.State != bot.RoundOpen || answered[r.ID] || followed[r.ID] || !r.Closes.Before(now) {
				continue
			}
			p.ws.Backdate(t.Add(3 * time.Hour))
			if r.Kind == bot.RoundFollow {
				followed[r.ID] = true
				if err := p.colleagues(ctx, r, 3+2*(len(followed)%3), random); err != nil { // now and then too few
					return err
				}
				continue
			}
			answered[r.ID] = true
			p.ws.Backdate(t.Add(3 * time.Hour))
			switch r.Kind {
			case bot.RoundQuestion:
				err = p.colleagues(ctx, r, 5+len(answered)%4, random)
			default:
				err = p.vote(ctx, r.Team, r.ID)
			}
			if err != nil {
				return err
			}
		}
		if err := p.choose(ctx, t, lang); err != nil {
			return err
		}
		if next.IsZero() {
			break
		}
		t = next
	}
	return nil
}

// vote lets the crew choose to go on.
func (p *parts) vote(ctx context.Context, team bot.TeamID, id bot.RoundID) error {
	for _, person := range crewOf(team)[1:6] { // the first is the visitor's own seat
		if _, err := p.ws.Press(ctx, person, channelOf(team), bot.Action{Do: "vote", Round: id, Arg: "go-on"}); err != nil {
			return err
		}
	}
	return nil
}

// demoChoice is what the sample crew chooses when it is asked: the first time, the second, and so on.
type demoChoice struct {
	Choice bot.AgreementChoice `toml:"choice"`
	NL     string              `toml:"nl"`
	EN     string              `toml:"en"`

	Answer bot.AnswerKind `toml:"answer"` // of a manager, to what was passed on
	Days   int            `toml:"days"`   // how many days later that comes, and for "later" how many more it takes
	SaysNL string         `toml:"says_nl"`
	SaysEN string         `toml:"says_en"`
}

// choose lets the crew make the agreement that it was asked for, and its manager answer what was passed on.
func (p *parts) choose(ctx context.Context, now time.Time, lang prompts.Lang) error {
	t, err := p.db.Team(ctx, demoTeam)
	if err != nil {
		return err
	}
	all, err := demoChoices()
	if err != nil {
		return err
	}
	in := func(nl, en string) string {
		if lang == prompts.English {
			return en
		}
		return nl
	}
	for i, a := range t.Agreements {
		if i >= len(all) {
			break
		}
		c := all[i]
		switch {
		case a.Choice == "" && a.Closed.IsZero():
			p.ws.Backdate(now.Add(20 * time.Hour)) // after the talk
			if err := p.fill(ctx, "cor", channelOf(demoTeam), bot.Action{Do: "agree", Round: a.Round, Arg: string(c.Choice)}, map[string][]string{"line": {in(c.NL, c.EN)}}); err != nil {
				return err
			}
		case a.Choice == bot.AgreePass && a.Answer == nil && c.Answer != "" && now.After(a.Made.AddDate(0, 0, c.Days)):
			p.ws.Backdate(now.Add(time.Hour))
			values := map[string][]string{"answer": {string(c.Answer)}, "words": {in(c.SaysNL, c.SaysEN)}}
			if c.Answer == bot.AnswerLater {
				values["day"] = []string{now.AddDate(0, 0, 9*c.Days).Format(time.DateOnly)}
			}
			if err := p.fill(ctx, "irma", channelOf(demoTeam), bot.Action{Do: "passed", Round: a.Round}, values); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill presses a button and fills in the form that it opens, if it opens one.
func (p *parts) fill(ctx context.Context, person, place string, action bot.Action, values map[string][]string) error {
	resp, err := p.ws.Press(ctx, person, place, action)
	if err != nil || resp.Form == nil {
		return err
	}
	for _, f := range resp.Form.Fields {
		if values[f.Name] == nil {
			values[f.Name] = f.Value
		}
	}
	resp, err = p.ws.Submit(ctx, person, place, resp.Form, values, "")
	if err == nil && len(resp.Errors) > 0 {
		err = errors.New("a sample form was refused")
	}
	return err
}
