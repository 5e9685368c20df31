package bot

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// A member brings a dilemma from the work, in private and without a name (PRACTICE 3.6).
//
// What is kept of it is its words, in one language, and the week from which it may be asked. There is no author, no
// account and no team: in a crew of seven a team is nearly a name, and no rule needs it. That a proposal is asked after
// four weeks at the earliest, by everybody alike, holds without knowing where it came from; that its reviewer is from
// another team is asked of the reviewer, who is shown the words. Its ID is a hash of a code that its form was opened with:
// the same form kept again is kept once, and who still has the code may take the proposal back.

// Proposal is a dilemma that somebody brought, as it may be kept.
type Proposal struct {
	Code      string // random, of the form it came with; only a hash of it is kept
	Lang      prompts.Lang
	Situation string
	A, B      string
	LostA     string // what is lost by doing a
	LostB     string
	At        time.Time // of the event; kept as a week
}

// proposalsWaiting is how many proposals may wait for review: beyond that nobody reads them any more.
const proposalsWaiting = 200

// proposalWeeks is how many whole weeks lie between a proposal and the first day on which it may be asked.
const proposalWeeks = 4

// ErrTooMany says that too many proposals wait already.
var ErrTooMany = errors.New("too many proposals wait for review")

// field limits of a proposal, in characters: those of the library for the place each will stand in.
const (
	proposalText = 900
	proposalLine = 75
)

// proposalID is the ID of the prompt that a form's code leads to.
func proposalID(code string) prompts.ID {
	sum := sha256.Sum256([]byte("proposal " + plainCode(code)))
	return prompts.ID("team-" + hex.EncodeToString(sum[:6]))
}

// newCode is a code as people can copy it.
func newCode() string {
	var raw [10]byte
	rand.Read(raw[:]) // never fails
	code := base32.StdEncoding.EncodeToString(raw[:])
	return code[:4] + "-" + code[4:8] + "-" + code[8:12] + "-" + code[12:]
}

// fromWeek is the Monday from which a proposal may be asked: at least four whole weeks later, the same for everybody who
// brought something in that week.
func fromWeek(at time.Time, zone *time.Location) string {
	return mondayOf(at, zone).AddDate(0, 0, 7*(proposalWeeks+1)).Format(time.DateOnly)
}

// mondayOf is the Monday of a moment's week, at nine.
func mondayOf(at time.Time, zone *time.Location) time.Time {
	at = at.In(zone)
	return time.Date(at.Year(), at.Month(), at.Day()-(int(at.Weekday())+6)%7, 9, 0, 0, 0, zone)
}

// shownFrom is the Monday after the week in which a member brought an entry: the first day on which anybody sees it. Empty:
// no member brought it.
func (e OwnEntry) shownFrom() string {
	day, err := time.Parse(time.DateOnly, e.Floor)
	if err != nil {
		return ""
	}
	return day.AddDate(0, 0, -7*proposalWeeks).Format(time.DateOnly)
}

// layersShown are the layers as editors see them. What members brought this week is not among them: who sees it appear knows
// when it came, and perhaps who was at a keyboard then.
func (b *Bot) layersShown(ctx context.Context) (l *layers, hidden int, err error) {
	if l, err = b.layers(ctx); err != nil {
		return nil, 0, err
	}
	today := time.Now().In(zoneOf(b.o.Team.Zone))
	first, last := today.Format(time.DateOnly), today.AddDate(0, 0, 7).Format(time.DateOnly)
	for key, e := range l.own.Entries {
		if from := e.shownFrom(); first < from && from <= last {
			delete(l.own.Entries, key)
			hidden++
		}
	}
	return l, hidden, nil
}

// tellOfProposals tells the editors who asked for it of what members brought in the week before. It is made on Monday, not
// when a proposal comes: its place in the queue would say between which other messages that was.
func (b *Bot) tellOfProposals(ctx context.Context, now time.Time) error {
	b.mu.Lock()
	wait := now.Before(b.toldAt)
	b.mu.Unlock()
	if wait {
		return nil
	}
	monday := mondayOf(now, zoneOf(b.o.Team.Zone))
	next := monday
	if !now.Before(monday) {
		next = monday.AddDate(0, 0, 7)
		own, err := b.o.Store.Own(ctx)
		if err != nil {
			return err
		}
		for _, e := range own.Entries {
			if e.shownFrom() != monday.Format(time.DateOnly) || e.Now.Prompt == nil || e.Now.Prompt.Status != prompts.Review {
				continue
			}
			posts, err := b.notices(ctx, "", now, true)
			if err == nil && len(posts) > 0 {
				err = b.o.Store.Queue(ctx, posts...)
				b.wake(b.wakeSender)
			}
			if err != nil {
				return err
			}
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.toldAt = next
	return nil
}

// prompt is what a proposal becomes: a dilemma with gaps that editors fill.
func (p Proposal) prompt(zone *time.Location) prompts.Prompt {
	say := sayer(p.Lang)
	id := proposalID(p.Code)
	return prompts.Prompt{
		ID: id, Revision: 1, Family: string(id), Kind: prompts.Dilemma, Phase: prompts.PhaseOpen, Status: prompts.Review,
		Audience: []prompts.AudienceID{prompts.Everyone}, Intensity: 1, CooldownWeeks: 52,
		FollowupKinds: []string{"perspective", "agreement"}, NotBefore: fromWeek(p.At, zone),
		Author: prompts.ByTeam, Source: prompts.SourceTeam, Licence: "CC0-1.0",
		Words: map[prompts.Lang]prompts.Words{p.Lang: {
			Title: titleOf(p.Situation), Text: p.Situation, Question: say("propose.question"), PoleA: p.A, PoleB: p.B,
			ProtectsA: p.LostB, ProtectsB: p.LostA, // what is lost by the one is what the other protects
			Followups: []string{say("giveback.ask-perspective"), say("giveback.ask-agreement")},
		}},
	}
}

// titleOf is the beginning of a text, until an editor finds a title.
func titleOf(text string) string {
	title := ""
	for w := range strings.FieldsSeq(text) {
		longer := strings.TrimSpace(title + " " + w)
		if utf8.RuneCountInString(longer) > 40 {
			break
		}
		title = longer
	}
	return strings.TrimRight(title, ".,;:?")
}

// ---- the form

const formPropose = "propose"

// proposing remembers which forms were shown what, so that it is shown once, and how much each account brought this hour. It
// is in memory only.
type proposing struct {
	mu    sync.Mutex
	shown map[string]glance

	hour    time.Time // that brought is of
	brought map[UserID]int
}

// proposalsAnHour is how many one account may bring in an hour: one person must not take every place there is.
const proposalsAnHour = 5

// enter counts one more of an account, unless it brought enough; undo takes it back.
func (p *proposing) enter(u UserID, now time.Time) (undo func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hour := now.Truncate(time.Hour)
	if !hour.Equal(p.hour) {
		p.hour, p.brought = hour, map[UserID]int{}
	}
	if p.brought[u] >= proposalsAnHour {
		return nil, false
	}
	p.brought[u]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.hour.Equal(hour) {
			p.brought[u]--
		}
	}, true
}

func (p *proposing) first(code string, found []string, at int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown == nil {
		p.shown = map[string]glance{}
	}
	return firstGlance(p.shown, code, found, at)
}

// proposers are the teams somebody may bring a dilemma from: those whose channel they are in now. None: they may not.
func (b *Bot) proposers(ctx context.Context, u UserID) ([]Team, error) {
	channels, err := b.channelsOf(ctx, u)
	if err != nil {
		return nil, err
	}
	var teams []Team
	for _, id := range channels {
		t, err := b.o.Store.Team(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && t.State != TeamOn && t.State != TeamResting && t.State != TeamJoining {
			continue
		}
		if err != nil {
			return nil, err
		}
		teams = append(teams, t)
	}
	return teams, nil
}

// askProposal opens the form. In a channel where no form can be shown, its reader is sent to a private conversation: the
// channel must not see who brings something.
func (b *Bot) askProposal(ctx context.Context, f From) (Response, error) {
	say := sayer(f.Lang)
	teams, err := b.proposers(ctx, f.User)
	switch {
	case err != nil:
		return say.message("common.later"), err
	case len(teams) == 0:
		return say.message("cmd.no-team"), nil
	case f.Team != "" && b.mustType(f):
		return say.message("propose.in-private"), nil
	}
	return Response{Form: b.proposalForm(f, f.User.platform+":"+newCode())}, nil
}

// proposalForm is the form of a proposal; state is the platform and its code.
func (b *Bot) proposalForm(f From, state string) *Form {
	say := sayer(f.Lang)
	form := &Form{
		Name: formPropose, State: state, Opener: Action{Do: "propose", Label: say("propose.form-title")}, Lang: f.Lang, Title: say("propose.form-title"), Submit: say("propose.form-submit"),
		Intro: []Block{Text(Rich(say("propose.intro"))...), Note(say("propose.promise"))},
		Fields: []Field{
			{Name: "situation", Kind: FieldText, Label: say("propose.field-situation"), Hint: say("propose.field-situation-hint"), Max: proposalText, Required: true},
			{Name: "a", Kind: FieldLine, Label: say("propose.field-a"), Hint: say("propose.field-a-hint"), Max: proposalLine, Required: true},
			{Name: "b", Kind: FieldLine, Label: say("propose.field-b"), Hint: say("propose.field-b-hint"), Max: proposalLine, Required: true},
			{Name: "lost_a", Kind: FieldLine, Label: say("propose.field-lost-a"), Hint: say("propose.field-lost-hint"), Max: proposalLine},
			{Name: "lost_b", Kind: FieldLine, Label: say("propose.field-lost-b"), Max: proposalLine},
		},
	}
	if shuts, ok := b.platform(f.User.platform).(Shutter); ok && shuts.Shuts() && !b.mustType(f) { // there is no last view to say it in
		form.Intro = append(form.Intro, Text(Rich(say("propose.code-before"), "code", codeOf(state))...))
	}
	if b.mustType(f) {
		form.Intro = append(form.Intro, Note(say("propose.typed-stays", "platform", platformName(f.Lang, TeamID(f.User.platform+":")))))
	}
	return form
}

func codeOf(state string) string {
	_, code, _ := strings.Cut(state, ":")
	return code
}

// submitProposal looks at a proposal before anything is kept: what is missing, what leads to a person and must go, where
// to turn with something heavy, and what may be put otherwise. All of it is said at once; the last two only once.
func (b *Bot) submitProposal(ctx context.Context, e FormSubmitted) (Response, error) {
	say := sayer(e.Lang)
	code := codeOf(e.State)
	if len(plainCode(code)) != 16 {
		return b.askProposal(ctx, e.From)
	}
	teams, err := b.proposers(ctx, e.User)
	if err != nil {
		return say.message("common.later"), err
	}
	if len(teams) == 0 {
		return say.message("cmd.no-team"), nil
	}
	switch brought, there, err := b.proposed(ctx, code); {
	case err != nil:
		return say.message("common.later"), err
	case there: // it came again; or the form is used twice, which brings nothing
		return b.proposalKept(e.From, code), nil
	case brought: // and was taken back
		return say.kept("propose.taken-back"), nil
	}
	p := Proposal{Code: code, Lang: e.Lang, At: e.At}
	form := b.proposalForm(e.From, e.State)
	look := HintOptions{Cases: b.o.CaseNumbers}
	for _, t := range teams[:min(len(teams), 5)] {
		look.Members = append(look.Members, b.membersOf(ctx, t.ID)...)
	}
	wrong, block := map[string]string{}, false
	var all, advised []string
	for i := range form.Fields {
		field := &form.Fields[i]
		v := clean(first(e.Values[field.Name]))
		if field.Kind == FieldLine {
			v = strings.Join(strings.Fields(v), " ")
		}
		field.Value = value(v)
		all = append(all, v)
		over := utf8.RuneCountInString(v) - field.Max
		hints := FindHints(v, look)
		switch {
		case v == "" && field.Required:
			wrong[field.Name], block = say("propose.missing"), true
		case over > 0:
			wrong[field.Name], block = say("propose.too-long", "over", strconv.Itoa(over), "max", strconv.Itoa(field.Max)), true
		case slices.ContainsFunc(hints, mustGo):
			wrong[field.Name], block = takeOut(v, hints, e.Lang, !b.mustType(e.From)), true
		default:
			kinds, lines := adviceOn(v, hints, field.Name, e.Lang, !b.mustType(e.From))
			if advised = append(advised, kinds...); len(lines) > 0 {
				wrong[field.Name] = strings.Join(lines, " ")
			}
		}
		switch field.Name {
		case "situation":
			p.Situation = strings.Join(strings.Fields(v), " ") // a prompt has no line breaks
		case "a":
			p.A = v
		case "b":
			p.B = v
		case "lost_a":
			p.LostA = v
		case "lost_b":
			p.LostB = v
		}
	}
	if p.A != "" && strings.EqualFold(p.A, p.B) {
		wrong["b"], block = say("propose.same"), true
	}
	heavy := FindHeavy(strings.Join(all, "\n"), b.o.Heavy)
	advised = append(advised, kindNames(heavy)...)
	seen := len(advised) == 0 || !b.proposing.first(code, advised, version(e.At))
	if !block && seen {
		undo, ok := b.proposing.enter(e.User, time.Now())
		if !ok {
			return say.message("propose.enough", "max", strconv.Itoa(proposalsAnHour)), nil
		}
		_, err := b.Propose(ctx, p)
		if err != nil {
			undo()
		}
		switch {
		case errors.Is(err, ErrTooMany):
			return say.message("propose.too-many"), nil
		case err != nil && !errors.Is(err, ErrExists):
			return say.message("common.later"), err
		}
		return b.proposalKept(e.From, code), nil
	}
	if len(heavy) > 0 {
		form.Notice = append(b.heavyCard(heavy, advisers(teams, e.Lang), e.Lang), Text(Span{Text: say("propose.heavy")}))
	}
	if block {
		form.Notice = append(form.Notice, Text(Span{Text: say("propose.not-yet")}))
	} else {
		form.Notice = append(form.Notice, Text(Span{Text: say("propose.advice")}))
	}
	return Response{Form: form, Errors: wrong}, nil
}

// proposalKept is the last thing that is said of a proposal. It is the same however often it is asked.
func (b *Bot) proposalKept(f From, code string) Response {
	say := sayer(f.Lang)
	m := Message{Lang: f.Lang, Blocks: []Block{
		Heading(say("propose.kept")), Text(Rich(say("propose.kept-what"))...), Text(Rich(say("propose.kept-code"), "code", code)...),
	}}
	if b.mustType(f) {
		m.Blocks = append(m.Blocks, Note(say("propose.typed-stays", "platform", platformName(f.Lang, TeamID(f.User.platform+":")))))
	}
	return Response{Message: &m, Kept: true}
}

// advisers are whom the card may name: those of somebody's teams.
func advisers(teams []Team, lang prompts.Lang) string {
	var out []string
	for _, t := range teams {
		if a := t.Settings.Adviser; a != "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return strings.Join(out, " "+sayer(lang)("propose.or")+" ")
}

// mustGo says whether a piece of a proposal has no place in a library that other teams read. Words about health, union or
// belief may be what a dilemma is about.
func mustGo(h Hint) bool { return h.Kind.Hard() || h.Kind == HintName || h.Kind == HintPostcode }

// takeOut says what must go before a text is kept; where says that the place may be repeated, which a message never does.
func takeOut(text string, hints []Hint, lang prompts.Lang, where bool) string {
	say := sayer(lang)
	var list []string
	for _, h := range hints {
		item := say(hintKey(h.Kind))
		if where {
			item += " (" + strings.Join(strings.Fields(text[h.At:h.End]), " ") + ")"
		}
		if mustGo(h) && !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return say("propose.take-out", "list", strings.Join(list, ", "))
}

// adviceOn gives what may be put otherwise in one field: the kinds, to know what was shown, and a line for each.
func adviceOn(text string, hints []Hint, field string, lang prompts.Lang, where bool) (kinds, lines []string) {
	say := sayer(lang)
	words := map[Advice][]string{}
	var order []Advice
	for _, a := range FindAdvice(text, lang) {
		w := strings.Join(strings.Fields(text[a.At:a.End]), " ")
		if a.Kind == AdviceWhyNot {
			w = strings.Fields(w)[0]
		}
		if words[a.Kind] == nil {
			order = append(order, a.Kind)
		}
		if !slices.ContainsFunc(words[a.Kind], func(have string) bool { return strings.EqualFold(have, w) }) {
			words[a.Kind] = append(words[a.Kind], w)
		}
	}
	for _, kind := range order {
		kinds = append(kinds, field+"/"+string(kind))
		line := locale.Text(lang, adviceKey(kind))
		if where {
			line = "'" + strings.Join(words[kind], "', '") + "': " + line
		} else {
			line = locale.Capital(line)
		}
		lines = append(lines, line)
	}
	if list := hintNames(hints); len(list) > 0 {
		kinds = append(kinds, field+"/"+strings.Join(list, "+"))
		lines = append(lines, hintWordsGentle(hints, lang))
	}
	if (field == "lost_a" || field == "lost_b") && text == "" {
		kinds, lines = append(kinds, field+"/lost"), append(lines, say("propose.tip-lost"))
	}
	return kinds, lines
}

// hintWordsGentle says of words about health, union or belief that they may lead to somebody.
func hintWordsGentle(hints []Hint, lang prompts.Lang) string {
	var list []string
	for _, h := range hints {
		if item := sayer(lang)(hintKey(h.Kind)); !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return sayer(lang)("propose.tip-sensitive", "list", strings.Join(list, ", "))
}

func adviceKey(kind Advice) string {
	switch kind {
	case AdviceThey:
		return "propose.tip-they"
	case AdviceAlways:
		return "propose.tip-always"
	case AdviceWhyNot:
		return "propose.tip-why-not"
	case AdviceDate:
		return "propose.tip-date"
	case AdviceRole:
		return "propose.tip-role"
	}
	return "propose.tip-place"
}

// ---- keeping it

// Propose keeps what a member brought, for review, and returns its ID. The same code again gives ErrExists and changes
// nothing; ErrTooMany: nobody could read it any more. Editors see it from the next Monday on.
func (b *Bot) Propose(ctx context.Context, p Proposal) (prompts.ID, error) {
	prompt := p.prompt(zoneOf(b.o.Team.Zone))
	key := EntryKey{EntryPrompt, string(prompt.ID)}
	err := b.editLibrary(ctx, func(l *layers) (Also, error) {
		if _, used := l.own.Used[key]; used {
			return Also{}, ErrExists
		}
		waiting := 0
		for _, e := range l.own.Entries {
			if q := e.Now.Prompt; q != nil && q.Source == prompts.SourceTeam && (q.Status == prompts.Review || q.Gaps() && q.Author == prompts.ByTeam) {
				waiting++
			}
		}
		if waiting >= proposalsWaiting {
			return Also{}, ErrTooMany
		}
		l.put(key, Content{Prompt: &prompt}, Act{What: "propose"}, func(e *OwnEntry) { e.Floor = prompt.NotBefore }) // no editor, and no moment
		return Also{}, nil
	})
	return prompt.ID, err
}

// proposed says whether a form's code brought something already, and whether it is still there.
func (b *Bot) proposed(ctx context.Context, code string) (brought, there bool, err error) {
	l, err := b.layers(ctx)
	if err != nil {
		return false, false, err
	}
	key := EntryKey{EntryPrompt, string(proposalID(code))}
	_, brought = l.own.Used[key]
	_, there = l.own.Entries[key]
	return brought, there, nil
}

// takeBack erases a proposal whose code somebody still has, unless it was ever in use. ok is false if the code is of none.
func (b *Bot) takeBack(ctx context.Context, f From, code string) (r Response, ok bool, err error) {
	say := sayer(f.Lang)
	brought, there, err := b.proposed(ctx, code)
	switch {
	case err != nil:
		return say.message("common.later"), true, err
	case !brought:
		return Response{}, false, nil
	case !there: // it came again
		return say.kept("propose.taken-back"), true, nil
	}
	id := proposalID(code)
	used, err := b.wasInUse(ctx, id)
	if err == nil && used {
		err = ErrDenied
	}
	if err == nil { // first outside the store: a backup that is put back must not bring the words back
		if err = b.o.Keys.Create(ctx, newErasedSlot(id)); errors.Is(err, ErrExists) {
			err = nil
		}
	}
	if err == nil {
		if err = b.eraseProposal(ctx, id); errors.Is(err, ErrDenied) { // in use just now
			err = cmp.Or(b.o.Keys.Destroy(ctx, newErasedSlot(id).Name), err)
		}
	}
	switch {
	case errors.Is(err, ErrDenied):
		return say.message("propose.in-use"), true, nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return say.message("common.later"), true, err
	}
	b.tidyLater()
	return say.kept("propose.taken-back"), true, nil
}

// wasInUse says whether a prompt was ever in force.
func (b *Bot) wasInUse(ctx context.Context, id prompts.ID) (bool, error) {
	history, err := b.o.Store.OwnHistory(ctx, EntryKey{EntryPrompt, string(id)})
	return slices.ContainsFunc(history, func(p OwnPast) bool { return p.Prompt != nil && p.Prompt.Status == prompts.Active }), err
}

// eraseProposal takes a proposal out, with its history. ErrDenied: it was put in use meanwhile.
func (b *Bot) eraseProposal(ctx context.Context, id prompts.ID) error {
	b.editing.Lock()
	defer b.editing.Unlock()
	if used, err := b.wasInUse(ctx, id); used || err != nil {
		return cmp.Or(err, ErrDenied)
	}
	return b.o.Store.EraseOwn(ctx, EntryKey{EntryPrompt, string(id)}, func(e OwnEntry) error {
		if e.Now.Prompt == nil || e.Now.Prompt.Status == prompts.Active {
			return ErrDenied
		}
		return nil
	})
}

// erasedKind is the kind of the slots that say which proposals were taken back. They stay: a backup may be of any age.
const erasedKind = ".erased"

func newErasedSlot(id prompts.ID) KeySlot {
	return KeySlot{Name: string(id) + erasedKind, Key: []byte(id)}
}

// eraseAgain erases the proposals that were taken back and that an older backup brought back, or that a crash left between
// the slot and the record.
func (b *Bot) eraseAgain(ctx context.Context) error {
	slots, err := b.o.Keys.Slots(ctx)
	if err != nil {
		return err
	}
	for _, name := range slots {
		id, ok := strings.CutSuffix(name, erasedKind)
		if !ok {
			continue
		}
		switch err := b.eraseProposal(ctx, prompts.ID(id)); {
		case err == nil:
			b.tidyLater()
		case errors.Is(err, ErrDenied): // in use before it was gone: nobody was told that it is
			if err := b.o.Keys.Destroy(ctx, name); err != nil {
				return err
			}
		case !errors.Is(err, ErrNotFound):
			return err
		}
	}
	return nil
}
