package bot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The verbs of an agreement's buttons and the names of its forms.
const (
	doAgree  = "agree"  // opens the form for a line
	doLeave  = "leave"  // leaves it as it is
	doPassed = "passed" // opens the form for a manager's answer

	formAgree  = "agree"
	formPassed = "passed"
)

// warned remembers which lines were sent back for what they may tell of a person, and when they were written: the same line,
// sent anew, was meant. It holds no line and nobody.
type warned struct {
	mu sync.Mutex
	at map[[sha256.Size]byte]time.Time
}

// first says whether a line is sent back: the first time, and whenever that same act comes again.
func (w *warned) first(round RoundID, line string, at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := sha256.Sum256([]byte(string(round) + "\n" + line))
	if was, ok := w.at[key]; ok && at.After(was) {
		return false
	}
	if len(w.at) > 1000 || w.at == nil {
		w.at = map[[sha256.Size]byte]time.Time{}
	}
	w.at[key] = at
	return true
}

// telling finds what an open line may tell of a person, for its author: empty, or what to say about it.
func (b *Bot) telling(ctx context.Context, f From, team TeamID, round RoundID, line string) string {
	found := FindHints(line, HintOptions{Cases: b.o.CaseNumbers, Members: b.membersOf(ctx, team)})
	if len(found) == 0 || !b.warned.first(round, line, f.At) {
		return ""
	}
	say := sayer(f.Lang)
	var list []string
	for _, h := range found {
		if item := say(hintKey(h.Kind)); !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return say("agree.hint", "list", strings.Join(list, ", "))
}

// inChannel says whether somebody is in a team's channel now.
func (b *Bot) inChannel(ctx context.Context, f From, team TeamID) (bool, error) {
	channels, err := b.channelsOf(ctx, f.User)
	return slices.Contains(channels, team), err
}

// agreementOf finds the agreement after a round, and its team. A Response says why there is none.
func (b *Bot) agreementOf(ctx context.Context, f From, id RoundID) (t Team, a Agreement, r Response, err error) {
	say := sayer(f.Lang)
	round, err := b.o.Store.Round(ctx, id)
	if err == nil {
		t, err = b.o.Store.Team(ctx, round.Team)
	}
	if errors.Is(err, ErrNotFound) {
		return t, a, say.message("agree.not-now"), nil
	}
	if err != nil {
		return t, a, say.message("common.later"), err
	}
	if found := t.agreementAfter(id); found != nil {
		return t, *found, Response{}, nil
	}
	return t, a, say.message("agree.not-now"), nil
}

// agreePressed handles the buttons of an agreement.
func (b *Bot) agreePressed(ctx context.Context, e ActionPressed) (Response, error) {
	choice := AgreementChoice(e.Action.Arg)
	if e.Action.Do == doLeave {
		choice = AgreeLeave
	}
	return b.choose(ctx, e.From, e.Action.Round, typedAgreement{choice: choice})
}

// choose writes what a team chose, or opens the form for its line.
func (b *Bot) choose(ctx context.Context, f From, id RoundID, in typedAgreement) (Response, error) {
	say := sayer(f.Lang)
	if in.choice == AgreeLeave || in.line != "" {
		r, wrong, err := b.agree(ctx, f, id, in)
		for _, field := range []string{"line", "to"} {
			if wrong[field] != "" {
				return Response{Message: &Message{Lang: f.Lang, Blocks: []Block{Text(Span{Text: wrong[field]}), Note(say("agree.hint-typed"))}}}, err
			}
		}
		return r, err
	}
	t, a, r, err := b.agreementOf(ctx, f, id)
	if err != nil || r.Message != nil {
		return r, err
	}
	if ok, err := b.inChannel(ctx, f, t.ID); err != nil || !ok {
		return say.message("reply.not-in-channel"), err
	}
	if in.choice != AgreeTry && in.choice != AgreePass {
		return say.message("reply.pick-again"), nil
	}
	if !a.takes(f.At) {
		return say.message("agree.not-now"), nil
	}
	if a.settled(f.At, zoneOf(t.Settings.Zone)) {
		return say.message("agree.settled"), nil
	}
	return Response{Form: agreeForm(f, t, a, in.choice)}, nil
}

// agreeForm asks for one open line.
func agreeForm(f From, t Team, a Agreement, choice AgreementChoice) *Form {
	say := sayer(f.Lang)
	form := &Form{
		Name: formAgree, State: string(a.Round) + "/" + string(choice), Lang: f.Lang, Title: choiceWord(f.Lang, choice), Submit: say("agree.form-submit"),
		Intro: []Block{Text(Rich(say("agree.form-intro"))...)},
		Fields: []Field{{Name: "line", Kind: FieldLine, Label: say("agree.field-line"), Hint: say("agree.field-line-hint", "max", strconv.Itoa(agreeRunes)),
			Max: agreeRunes, Required: true}},
	}
	if choice == AgreeTry {
		form.Intro = append(form.Intro, Text(Rich(say("agree.form-try"))...))
	}
	if choice == AgreePass {
		form.Intro = append(form.Intro, Text(Rich(say("agree.form-pass"), "days", strconv.Itoa(promiseDays))...))
		form.Fields = append(form.Fields, Field{Name: "to", Kind: FieldLine, Label: say("agree.field-to"), Hint: say("agree.field-to-hint"),
			Value: value(t.SwitchedOnName), Max: managerRunes})
	}
	return form
}

// submitAgreement handles that form.
func (b *Bot) submitAgreement(ctx context.Context, e FormSubmitted) (Response, error) {
	id, choice, _ := strings.Cut(e.State, "/")
	in := typedAgreement{choice: AgreementChoice(choice), line: first(e.Values["line"]), to: first(e.Values["to"])}
	r, wrong, err := b.agree(ctx, e.From, RoundID(id), in)
	if len(wrong) == 0 {
		return r, err
	}
	t, a, r, err := b.agreementOf(ctx, e.From, RoundID(id))
	if err != nil || r.Message != nil {
		return r, err
	}
	return filledAgain(agreeForm(e.From, t, a, in.choice), e, wrong), nil
}

// filledAgain shows a form again as it was filled in, with what is wrong.
func filledAgain(form *Form, e FormSubmitted, wrong map[string]string) Response {
	for i := range form.Fields {
		form.Fields[i].Value = e.Values[form.Fields[i].Name]
	}
	return Response{Form: form, Errors: wrong}
}

// agree writes a line, openly and without its author. wrong says what to change in it.
func (b *Bot) agree(ctx context.Context, f From, id RoundID, in typedAgreement) (r Response, wrong map[string]string, err error) {
	say := sayer(f.Lang)
	t, a, r, err := b.agreementOf(ctx, f, id)
	if err != nil || r.Message != nil {
		return r, nil, err
	}
	ok, err := b.inChannel(ctx, f, t.ID)
	if err != nil {
		return say.message("common.later"), nil, err
	}
	if !ok {
		return say.message("reply.not-in-channel"), nil, nil
	}
	wrong = map[string]string{}
	line, err := oneLineOf(in.line, agreeRunes)
	switch {
	case err != nil:
		wrong["line"] = say("agree.too-long", "max", strconv.Itoa(agreeRunes))
	case in.choice == AgreeLeave:
		line = ""
	case in.choice != AgreeTry && in.choice != AgreePass:
		return say.message("reply.pick-again"), nil, nil
	case line == "":
		wrong["line"] = say("team.needed")
	}
	to, err := oneLineOf(in.to, managerRunes)
	if err != nil {
		wrong["to"] = say("agree.too-long", "max", strconv.Itoa(managerRunes))
	}
	if len(wrong) > 0 {
		return Response{}, wrong, nil
	}
	at := f.At.UTC()
	kept := func(a Agreement) (Response, bool) { // it stands already, or something newer, or what stands for good
		same := a.Choice == in.choice && a.Line == line
		switch {
		case same && a.Made.Equal(at), same && at.After(a.Made) && a.takes(at) && t.passesTo(a, to):
			return say.kept("agree.kept"), true
		case !at.After(a.Made):
			return say.message("agree.newer"), true
		case a.takes(at) && a.settled(at, zoneOf(t.Settings.Zone)):
			return say.message("agree.settled"), true
		}
		return Response{}, false
	}
	if r, ok := kept(a); ok {
		return r, nil, nil
	}
	if !a.takes(at) {
		return say.message("agree.not-now"), nil, nil
	}
	if line != "" {
		if hint := b.telling(ctx, f, t.ID, id, line); hint != "" {
			return Response{}, map[string]string{"line": hint}, nil
		}
	}
	var stands Agreement
	err = b.o.Store.UpdateRound(ctx, id, func(round *Round, t *Team) (Also, error) {
		t.Agreements = slices.Clone(t.Agreements)
		a := t.agreementAfter(id)
		if a == nil || !a.takes(at) {
			return Also{}, errLate
		}
		stands = *a
		if _, ok := kept(*a); ok {
			return Also{}, errSame
		}
		t.write(a, round, typedAgreement{choice: in.choice, to: to, line: line}, at)
		if a.Choice == AgreePass {
			round.Owes = b.promised(*t, a.Promise)
		}
		return Also{Posts: []Post{b.showAgreement(t, a, strconv.FormatInt(version(at), 10), b.permitted(*t, f.At))}}, nil
	})
	switch {
	case errors.Is(err, errLate):
		return say.message("agree.not-now"), nil, nil
	case errors.Is(err, errSame):
		r, _ := kept(stands)
		return r, nil, nil
	case err != nil:
		return say.message("common.later"), nil, err
	}
	b.wake(b.wakeSender)
	b.wake(b.wakeAgenda)
	return say.kept("agree.kept"), nil, nil
}

// passesTo says whether an agreement is passed on to whom is named now, or to nobody at all.
func (t *Team) passesTo(a Agreement, to string) bool {
	return a.Choice != AgreePass || strings.EqualFold(a.Manager, cmp.Or(to, t.SwitchedOnName))
}

// write puts a line in the place of the one before.
func (t *Team) write(a *Agreement, r *Round, in typedAgreement, at time.Time) {
	zone := zoneOf(t.Settings.Zone)
	a.Choice, a.Line, a.Made = in.choice, in.line, at
	a.LookBackFrom, a.To, a.Manager, a.Promise, a.Answer = time.Time{}, "", "", time.Time{}, nil
	r.Owes = time.Time{}
	switch in.choice {
	case AgreeTry:
		local := at.In(zone)
		a.LookBackFrom = time.Date(local.Year(), local.Month(), local.Day()+lookBackDays, 0, 0, 0, 0, zone).UTC()
	case AgreePass:
		a.Manager, a.Promise = in.to, atTen(at, promiseDays, zone).UTC()
		if in.to == "" || strings.EqualFold(in.to, t.SwitchedOnName) {
			a.To, a.Manager = t.SwitchedOnBy, t.SwitchedOnName
		}
	}
}

// ---- what was passed on

// passedPressed opens the form for a manager's answer.
func (b *Bot) passedPressed(ctx context.Context, e ActionPressed) (Response, error) {
	say := sayer(e.Lang)
	t, a, r, err := b.agreementOf(ctx, e.From, e.Action.Round)
	if err != nil || r.Message != nil {
		return r, err
	}
	if ok, err := b.manages(ctx, e.From, t); err != nil || !ok {
		return say.message("team.managers-only"), err
	}
	if a.Choice != AgreePass {
		return say.message("agree.nothing-passed"), nil
	}
	return Response{Form: passedForm(e.From, t, a)}, nil
}

// passedForm asks a manager what became of something that was passed on.
func passedForm(f From, t Team, a Agreement) *Form {
	say := sayer(f.Lang)
	return &Form{
		Name: formPassed, State: string(a.Round) + "/" + a.made(), Lang: f.Lang, Title: say("agree.answer-title"), Submit: say("agree.answer-submit"),
		Intro: []Block{Text(passedLine(Owed{Item: a.Line, Manager: a.Manager, On: a.Made, Promise: a.Promise}, f.Lang, zoneOf(t.Settings.Zone), f.At)...),
			Text(Rich(say("agree.answer-intro"))...)},
		Fields: []Field{
			{Name: "answer", Kind: FieldOne, Label: say("agree.field-answer"), Required: true, Options: []Option{
				{string(AnswerDone), say("agree.answer-done")}, {string(AnswerNot), say("agree.answer-not")}, {string(AnswerLater), say("agree.answer-later")}}},
			{Name: "day", Kind: FieldLine, Label: say("agree.field-day"), Hint: say("agree.field-day-hint"), Max: 30},
			{Name: "words", Kind: FieldLine, Label: say("agree.field-words"), Hint: say("agree.field-words-hint"), Max: answerRunes},
		},
	}
}

// made says which line an agreement holds: one that came in its place is another matter.
func (a Agreement) made() string { return strconv.FormatInt(version(a.Made), 10) }

// submitAnswer handles that form.
func (b *Bot) submitAnswer(ctx context.Context, e FormSubmitted) (Response, error) {
	id, made, _ := strings.Cut(e.State, "/")
	in := typedAnswer{made: made, kind: AnswerKind(first(e.Values["answer"])), day: first(e.Values["day"]), words: first(e.Values["words"])}
	r, wrong, err := b.answerPassed(ctx, e.From, RoundID(id), in)
	if len(wrong) == 0 {
		return r, err
	}
	t, a, r, err := b.agreementOf(ctx, e.From, RoundID(id))
	if err != nil || r.Message != nil {
		return r, err
	}
	return filledAgain(passedForm(e.From, t, a), e, wrong), nil
}

// answerPassed takes a manager's answer and tells the channel. "Later" gives it another day, until which it stays open.
func (b *Bot) answerPassed(ctx context.Context, f From, id RoundID, in typedAnswer) (r Response, wrong map[string]string, err error) {
	say := sayer(f.Lang)
	t, a, r, err := b.agreementOf(ctx, f, id)
	if err != nil || r.Message != nil {
		return r, nil, err
	}
	ok, err := b.manages(ctx, f, t)
	if err != nil {
		return say.message("common.later"), nil, err
	}
	if !ok {
		return say.message("team.managers-only"), nil, nil
	}
	if a.Choice != AgreePass {
		return say.message("agree.nothing-passed"), nil, nil
	}
	at := f.At.UTC()
	wrong = map[string]string{}
	zone := zoneOf(t.Settings.Zone)
	words, err := oneLineOf(in.words, answerRunes)
	if err != nil {
		wrong["words"] = say("agree.too-long", "max", strconv.Itoa(answerRunes))
	}
	var day time.Time
	switch in.kind {
	case AnswerDone:
	case AnswerNot:
		if words == "" && wrong["words"] == "" {
			wrong["words"] = say("agree.why-needed")
		}
	case AnswerLater:
		day, ok = dayIn(in.day, at, zone)
		if !ok || day.Before(dayAfter(at, zone)) || day.After(at.AddDate(0, 0, laterDays)) {
			wrong["day"] = say("agree.day-needed")
		}
	default:
		wrong["answer"] = say("team.needed")
	}
	if len(wrong) > 0 {
		return Response{}, wrong, nil
	}
	another := func(a Agreement) bool { return a.Choice == AgreePass && in.made != "" && in.made != a.made() }
	anew := map[string]string{"answer": say("agree.answer-newer")}
	if another(a) {
		return Response{}, anew, nil
	}
	kept := func(a Agreement) (Response, bool) {
		switch {
		case a.Answer != nil && a.Answer.At.Equal(at) && a.Answer.Kind == in.kind && a.Answer.Words == words:
			return say.kept("agree.answer-kept"), true
		case a.Choice != AgreePass || !at.After(a.Made) || a.Answer != nil && !at.After(a.Answer.At):
			return say.message("agree.answer-newer"), true
		}
		return Response{}, false
	}
	if r, ok := kept(a); ok {
		return r, nil, nil
	}
	if words != "" {
		if hint := b.telling(ctx, f, t.ID, id, words); hint != "" {
			return Response{}, map[string]string{"words": hint}, nil
		}
	}
	var stands Agreement
	err = b.o.Store.UpdateRound(ctx, id, func(round *Round, t *Team) (Also, error) {
		t.Agreements = slices.Clone(t.Agreements)
		a := t.agreementAfter(id)
		if a == nil {
			return Also{}, errLate
		}
		stands = *a
		if _, ok := kept(*a); ok || another(*a) {
			return Also{}, errSame
		}
		a.Answer = &ManagerAnswer{Kind: in.kind, Words: words, At: at}
		round.Owes = time.Time{}
		if in.kind == AnswerLater {
			a.Promise = day.UTC()
			round.Owes = b.promised(*t, a.Promise)
		}
		also := Also{Audit: []AuditEntry{{At: at, By: f.User.Actor(), Team: t.ID, What: "answer", How: string(in.kind)}}}
		if t.State != TeamGone {
			v := strconv.FormatInt(version(at), 10)
			also.Posts = []Post{
				b.say(t.ID, stepPost(id, "answer/"+v), answerMessage(*t, *a, f.At), b.permitted(*t, f.At)),
				b.showAgreement(t, a, "answered/"+v, f.At),
			}
		}
		return also, nil
	})
	switch {
	case errors.Is(err, errLate):
		return say.message("agree.nothing-passed"), nil, nil
	case errors.Is(err, errSame) && another(stands):
		return Response{}, anew, nil
	case errors.Is(err, errSame):
		r, _ := kept(stands)
		return r, nil, nil
	case err != nil:
		return say.message("common.later"), nil, err
	}
	b.wake(b.wakeSender)
	b.wake(b.wakeAgenda)
	return say.kept("agree.answer-kept"), nil, nil
}

// ---- typed

// agreementWords handles a direct message that reads as one about an agreement. ok is false where it is somebody's reply: a
// question is open for its author, and nothing is that the words could be about. Where both are, it asks: a line and an answer
// stand openly in the channel, and a reply must not.
func (b *Bot) agreementWords(ctx context.Context, f From, text string) (r Response, ok bool, err error) {
	if len(text) > 2*MaxReplyRunes {
		return Response{}, false, nil
	}
	verb := agreementVerb(text)
	if verb == "" {
		return Response{}, false, nil
	}
	if called(oneSpace(text)) == oneSpace(text) {
		seats, err := b.seats(ctx, f, "")
		if err != nil {
			r, err = b.refused(err, f.Lang)
			return r, true, err
		}
		if len(seats) > 0 {
			found, err := b.agreementWaits(ctx, f, verb, text)
			if err != nil {
				return sayer(f.Lang).message("common.later"), true, err
			}
			return sayer(f.Lang).message("cmd.or-reply", "word", oneSpace(text)), found, err
		}
	}
	r, _, err = b.agreementTyped(ctx, f, verb, text)
	return r, true, err
}

// agreementWaits says whether there is something that typed words about an agreement could be about.
func (b *Bot) agreementWaits(ctx context.Context, f From, verb, text string) (bool, error) {
	teams, err := b.teamsOf(ctx, f)
	number := 0
	if in, ok := parseAnswer(text); ok {
		number = in.number
	}
	return slices.ContainsFunc(teams, func(t Team) bool {
		return slices.ContainsFunc(t.Agreements, func(a Agreement) bool {
			if verb == "passed" {
				return a.waited(f.At) || number > 0 && a.Choice == AgreePass
			}
			return a.takes(f.At)
		})
	}), err
}

// agreementTyped handles words about an agreement. found says that there was something they could be about.
func (b *Bot) agreementTyped(ctx context.Context, f From, verb, text string) (r Response, found bool, err error) {
	teams, err := b.teamsOf(ctx, f)
	if err != nil {
		return sayer(f.Lang).message("common.later"), true, err
	}
	if verb == "passed" {
		in, _ := parseAnswer(text)
		return b.answerTyped(ctx, f, teams, in)
	}
	in, _ := parseAgreement(text)
	say := sayer(f.Lang)
	var open []Agreement
	for _, t := range teams {
		for _, a := range slices.Backward(t.Agreements) {
			if a.takes(f.At) {
				open = append(open, a)
				break
			}
		}
	}
	switch {
	case len(open) > 1:
		return say.message("cmd.which-channel"), true, nil
	case len(open) == 0 && in.choice == "" && len(teams) == 1:
		if n := len(teams[0].Agreements); n > 0 && teams[0].Agreements[n-1].Choice != "" {
			return b.showsAgreement(ctx, f, teams[0], teams[0].Agreements[n-1])
		}
		return say.message("agree.not-now"), false, nil
	case len(open) == 0:
		return say.message("agree.not-now"), false, nil
	case in.choice == "":
		i := slices.IndexFunc(teams, func(t Team) bool { return t.agreementAfter(open[0].Round) != nil })
		return b.showsAgreement(ctx, f, teams[i], open[0])
	}
	r, err = b.choose(ctx, f, open[0].Round, in)
	return r, true, err
}

// showsAgreement shows somebody of the channel how an agreement stands.
func (b *Bot) showsAgreement(ctx context.Context, f From, t Team, a Agreement) (Response, bool, error) {
	if ok, err := b.inChannel(ctx, f, t.ID); err != nil || !ok {
		return sayer(f.Lang).message("reply.not-in-channel"), true, err
	}
	m := agreementMessage(a, zoneOf(t.Settings.Zone), f.At)
	return Response{Message: &m}, true, nil
}

// teamsOf are the teams that words may be about: that of the channel they were given in, or all of their author's.
func (b *Bot) teamsOf(ctx context.Context, f From) (teams []Team, err error) {
	ids := []TeamID{f.Team}
	if f.Team == "" {
		if ids, err = b.channelsOf(ctx, f.User); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		t, err := b.o.Store.Team(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err == nil {
			teams = append(teams, t)
		}
	}
	return teams, nil
}

// answerTyped handles a manager's typed answer. What was passed on is numbered from a team's first on, so that a number means
// the same when it comes again.
func (b *Bot) answerTyped(ctx context.Context, f From, teams []Team, in typedAnswer) (r Response, found bool, err error) {
	say := sayer(f.Lang)
	var mine []Team
	for _, t := range teams {
		if !slices.ContainsFunc(t.Agreements, func(a Agreement) bool { return a.waited(f.At) || in.number > 0 && a.Choice == AgreePass }) {
			continue
		}
		ok, err := b.manages(ctx, f, t)
		if err != nil {
			return say.message("common.later"), true, err
		}
		if found = true; ok {
			mine = append(mine, t)
		}
	}
	switch {
	case len(mine) > 1:
		return say.message("cmd.which-channel"), true, nil
	case len(mine) == 0 && found:
		return say.message("team.managers-only"), false, nil
	case len(mine) == 0:
		return say.message("agree.nothing-passed"), false, nil
	}
	t := mine[0]
	var about []Agreement
	n := 0
	for _, a := range t.Agreements {
		if a.Choice != AgreePass {
			continue
		}
		if n++; in.number == n || in.number == 0 && a.waited(f.At) {
			about = append(about, a)
		}
	}
	switch {
	case len(about) == 0:
		return say.message("agree.nothing-passed"), true, nil
	case len(about) > 1:
		m := Message{Lang: f.Lang, Blocks: append([]Block{Text(Rich(say("agree.which"))...)}, owedTo(t, f, true)...)}
		return Response{Message: &m}, true, nil
	case in.kind == "":
		return Response{Form: passedForm(f, t, about[0])}, true, nil
	}
	r, wrong, err := b.answerPassed(ctx, f, about[0].Round, in)
	for _, field := range []string{"answer", "day", "words"} {
		if wrong[field] != "" {
			return Response{Message: &Message{Lang: f.Lang, Blocks: []Block{Text(Span{Text: wrong[field]}), Note(say("agree.answer-how"))}}}, true, err
		}
	}
	return r, true, err
}

// owedTo lists what waits for an answer, each with its number where there are several; for who manages the team with its button.
func owedTo(t Team, f From, manages bool) (blocks []Block) {
	say := sayer(f.Lang)
	zone := zoneOf(t.Settings.Zone)
	waiting := 0
	for _, a := range t.Agreements {
		if a.waits() {
			waiting++
		}
	}
	n := 0
	for _, a := range t.Agreements {
		if a.Choice != AgreePass {
			continue
		}
		if n++; !a.waits() {
			continue
		}
		line := passedLine(Owed{a.Line, a.Manager, a.Made, a.Promise, a.late(f.At, zone)}, f.Lang, zone, f.At)
		typed := say("agree.answer-typed")
		if waiting > 1 {
			line = append([]Span{{Text: strconv.Itoa(n) + ". "}}, line...)
			typed += " " + strconv.Itoa(n)
		}
		blocks = append(blocks, Text(line...))
		if manages {
			blocks = append(blocks, Block{Kind: BlockActions, Actions: []Action{{Do: doPassed, Round: a.Round, Label: say("agree.answer"), Typed: typed}}})
		}
	}
	return blocks
}

// agreementInWords says what to type instead of an agreement's form; ok is false for other forms.
func agreementInWords(form *Form) (m *Message, ok bool) {
	say := sayer(form.Lang)
	m = &Message{Lang: form.Lang, Blocks: form.Intro}
	switch form.Name {
	case formAgree:
		_, choice, _ := strings.Cut(form.State, "/")
		m.Blocks = append(slices.Clone(form.Intro), Text(Rich(say("agree.form-typed"), "word", choiceTyped(form.Lang, AgreementChoice(choice)), "max", strconv.Itoa(agreeRunes))...))
		if AgreementChoice(choice) == AgreePass {
			m.Blocks = append(m.Blocks, Note(say("agree.form-typed-to")))
		}
	case formPassed:
		m.Blocks = append(slices.Clone(form.Intro), Text(Rich(say("agree.answer-how"))...))
	default:
		return nil, false
	}
	return m, true
}
