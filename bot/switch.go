package bot

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// rhythmName is a rhythm in the reader's words.
func rhythmName(lang prompts.Lang, r RhythmName) string {
	say := sayer(lang)
	switch r {
	case RhythmFourBeat:
		return say("team.rhythm-four-beat")
	case RhythmFortnightly:
		return say("team.rhythm-fortnightly")
	case RhythmMonthly:
		return say("team.rhythm-monthly")
	case RhythmTalkOnly:
		return say("team.rhythm-talk-only")
	case RhythmCustom:
		return say("team.rhythm-custom")
	}
	return say("team.rhythm-weekly")
}

func rhythmOptions(lang prompts.Lang) []Option {
	var out []Option
	for _, r := range []RhythmName{RhythmWeekly, RhythmFourBeat, RhythmFortnightly, RhythmMonthly, RhythmTalkOnly, RhythmCustom} {
		out = append(out, Option{string(r), rhythmName(lang, r)})
	}
	return out
}

var langOptions = []Option{{string(prompts.Dutch), "Nederlands"}, {string(prompts.English), "English"}}

// askOn opens the form with which a manager switches a team on.
func (b *Bot) askOn(ctx context.Context, f From, t Team) (Response, error) {
	say := sayer(f.Lang)
	if ok, err := b.manages(ctx, f, t); err != nil || !ok {
		return say.message("team.managers-only"), err
	}
	switch t.State {
	case TeamOn:
		return say.message("team.on-already"), nil
	case TeamJoining:
		return say.message("team.joining-already"), nil
	}
	if t.Since.IsZero() { // never been on: what the operator set, and what the manager's account tells
		t.Settings = b.o.Team
		t.Settings.Lang = f.Lang
		if _, err := time.LoadLocation(f.Zone); err == nil && f.Zone != "" {
			t.Settings.Zone = f.Zone
		}
	}
	return Response{Form: b.settingsForm(ctx, f, t, "on")}, nil
}

func (b *Bot) askSettings(ctx context.Context, f From, t Team) (Response, error) {
	say := sayer(f.Lang)
	if ok, err := b.manages(ctx, f, t); err != nil || !ok {
		return say.message("team.managers-only"), err
	}
	return Response{Form: b.settingsForm(ctx, f, t, "settings")}, nil
}

// settingsForm is the one form behind `on` and `settings`.
func (b *Bot) settingsForm(ctx context.Context, f From, t Team, name string) *Form {
	say := sayer(f.Lang)
	s := t.Settings
	var audience []Option
	lib, err := b.library(ctx)
	if err != nil { // the built-in ones do
		b.o.Log.Warn("the library in force is not known", "err", err)
	}
	for _, a := range lib.Audiences {
		audience = append(audience, Option{string(a.ID), a.Name.In(f.Lang)})
	}
	var audienceValue []string
	for _, a := range s.Audience {
		audienceValue = append(audienceValue, string(a))
	}
	statement := s.Statement
	if statement == "" {
		statement = say("team.statement")
	}
	form := &Form{
		Name: name, State: string(t.ID), Lang: f.Lang,
		Title: say("team.form-on"), Submit: say("team.form-on-submit"),
		Intro: []Block{Text(Rich(say("team.form-intro"))...)},
		Fields: []Field{
			{Name: "lang", Kind: FieldOne, Label: say("team.field-lang"), Options: langOptions, Value: value(string(s.Lang)), Required: true},
			{Name: "rhythm", Kind: FieldOne, Label: say("team.field-rhythm"), Options: rhythmOptions(f.Lang), Value: value(string(s.Rhythm)), Required: true},
			{Name: "audience", Kind: FieldMany, Label: say("team.field-audience"), Hint: say("team.field-audience-hint"), Options: audience, Value: audienceValue},
			{Name: "adviser", Kind: FieldLine, Label: say("team.field-adviser"), Hint: say("team.field-adviser-hint"), Value: value(s.Adviser), Max: 150, Required: true},
			{Name: "statement", Kind: FieldText, Label: say("team.field-statement"), Hint: say("team.field-statement-hint"), Value: value(statement), Max: 800, Required: true},
		},
	}
	own := []Field{
		{Name: "cron", Kind: FieldLine, Label: say("team.field-cron"), Hint: say("team.field-cron-hint"), Value: value(s.Cron), Max: 80},
		{Name: "window", Kind: FieldLine, Label: say("team.field-window"), Hint: say("team.field-window-hint"), Value: value(string(s.Window)), Max: 10},
		{Name: "give_back_after", Kind: FieldLine, Label: say("team.field-after"), Hint: say("team.field-after-hint"), Value: value(string(s.GiveBackAfter)), Max: 10},
	}
	if name == "settings" {
		form.Title, form.Submit = say("team.form-settings"), say("team.form-settings-submit")
		form.Intro = []Block{Text(Rich(say("team.settings-intro"))...)}
		form.Fields = append(form.Fields,
			Field{Name: "zone", Kind: FieldLine, Label: say("team.field-zone"), Value: value(s.Zone), Max: 60, Required: true},
			Field{Name: "min_replies", Kind: FieldLine, Label: say("team.field-min"), Hint: say("team.field-min-hint", "floor", strconv.Itoa(b.o.Limits.MinReplies)),
				Value: value(strconv.Itoa(s.MinReplies)), Max: 3, Required: true})
		form.Fields = append(form.Fields, own...)
		form.Fields = append(form.Fields,
			Field{Name: "quiet_hours", Kind: FieldLine, Label: say("team.field-quiet"), Hint: say("team.field-quiet-hint"), Value: value(s.QuietHours), Max: 20},
		)
		return form
	}
	if s.Rhythm == RhythmCustom || b.shuts(t.ID) { // else only if that rhythm is chosen, so that switching on stays one short form
		form.Fields = append(form.Fields, own...)
	}
	form.Fields = append(form.Fields, Field{Name: "worktime", Kind: FieldTick, Label: say("team.field-worktime"), Required: true})
	if b.o.PublicSector {
		form.Fields = append(form.Fields,
			Field{Name: "works_council", Kind: FieldTick, Label: say("team.field-works-council"), Required: true},
			Field{Name: "privacy_officer", Kind: FieldTick, Label: say("team.field-privacy-officer"), Required: true})
	}
	return form
}

// submitSettings switches a team on, or changes its settings, after checking everything at once.
func (b *Bot) submitSettings(ctx context.Context, e FormSubmitted) (Response, error) {
	say := sayer(e.Lang)
	id := TeamID(e.State)
	t, err := b.o.Store.Team(ctx, id)
	if errors.Is(err, ErrNotFound) && e.Form == "on" {
		t, err = Team{ID: id, Name: e.Chan, Settings: b.o.Team}, nil
	}
	if err != nil {
		return say.message("common.later"), err
	}
	if ok, err := b.manages(ctx, e.From, t); err != nil || !ok {
		return say.message("team.managers-only"), err
	}
	switching := e.Form == "on"
	if switching && (t.State == TeamOn || t.State == TeamJoining) {
		switch same := t.Steered.Equal(e.At); { // the same form again
		case same && t.State == TeamOn && !t.NextOpens.IsZero():
			return say.kept("team.on-private", "moment", locale.Moment(e.Lang, t.NextOpens.In(zoneOf(t.Settings.Zone)))), nil
		case same && t.State == TeamJoining:
			if join, err := b.o.Store.Round(ctx, t.Vote); err == nil {
				return say.kept("team.joining-private", "closing", locale.Moment(e.Lang, join.Closes.In(zoneOf(join.Zone)))), nil
			}
		}
		return say.message("team.on-already"), nil
	}
	if t.Settings.Zone == "" {
		t.Settings = b.o.Team
	}
	if switching && first(e.Values["rhythm"]) != string(t.Settings.Rhythm) { // a moment of one's own belongs to its rhythm
		t.Settings.Cron = ""
		if first(e.Values["rhythm"]) == string(b.o.Team.Rhythm) {
			t.Settings.Cron = b.o.Team.Cron
		}
	}
	if switching && first(e.Values["rhythm"]) == string(RhythmCustom) { // chosen in the form: its moments are asked next
		t.Settings.Rhythm = RhythmCustom
	}
	form := b.settingsForm(ctx, e.From, t, e.Form)
	wrong := map[string]string{}
	s := b.readSettings(e, t.Settings, form, wrong)
	if switching {
		if _, err := time.LoadLocation(e.Zone); err == nil && e.Zone != "" && t.Since.IsZero() {
			s.Zone = e.Zone
		}
	}
	cal, err := ParseCalendar(s, b.o.Holidays...)
	for _, p := range problems(err) {
		field := p.Field
		if !slices.ContainsFunc(form.Fields, func(f Field) bool { return f.Name == field }) {
			field = "rhythm"
		}
		wrong[field] = strings.TrimSpace(wrong[field] + " " + locale.Say(e.Lang, p.Key, p.Pairs...))
	}
	people, counted, err := b.countPeople(ctx, id)
	if errors.Is(err, ErrForeign) {
		return say.message("team.foreign"), nil
	}
	if err != nil {
		return say.message("common.later"), err
	}
	if (!counted || people < max(b.o.Limits.MinMembers, 6)) && s.Rhythm != RhythmTalkOnly {
		wrong["rhythm"] = say("team.too-few-people", "people", locale.Number(e.Lang, max(b.o.Limits.MinMembers, 6)),
			"talk", rhythmName(e.Lang, RhythmTalkOnly))
	}
	if len(wrong) > 0 {
		for i := range form.Fields {
			if v, sent := e.Values[form.Fields[i].Name]; sent || form.Fields[i].Kind != FieldLine {
				form.Fields[i].Value = v
			}
		}
		return Response{Form: form, Errors: wrong}, nil
	}
	if switching {
		return b.switchOn(ctx, e, t, s, cal)
	}
	return b.changeSettings(ctx, e, s, cal)
}

// readSettings reads the form's fields over the settings there were.
func (b *Bot) readSettings(e FormSubmitted, s Settings, form *Form, wrong map[string]string) Settings {
	say := sayer(e.Lang)
	for _, f := range form.Fields {
		if _, sent := e.Values[f.Name]; !sent && (f.Kind == FieldLine || f.Kind == FieldText) && !f.Required {
			continue // it did not stand on the form that was sent
		}
		v := clean(first(e.Values[f.Name]))
		if f.Required && v == "" {
			switch {
			case f.Name == "adviser":
				wrong[f.Name] = say("team.adviser-needed")
			case f.Kind == FieldTick:
				wrong[f.Name] = say("team.tick-needed")
			default:
				wrong[f.Name] = say("team.needed")
			}
			continue
		}
		if f.Kind == FieldOne && !known(f.Options, v) {
			wrong[f.Name] = say("reply.pick-again")
			continue
		}
		if f.Max > 0 && len([]rune(v)) > f.Max {
			wrong[f.Name] = say("team.too-long", "max", strconv.Itoa(f.Max))
			continue
		}
		switch f.Name {
		case "lang":
			s.Lang = prompts.Lang(v)
		case "rhythm":
			s.Rhythm = RhythmName(v)
		case "audience":
			s.Audience = nil
			for _, o := range f.Options {
				if slices.Contains(e.Values["audience"], o.Value) {
					s.Audience = append(s.Audience, prompts.AudienceID(o.Value))
				}
			}
		case "adviser":
			s.Adviser = strings.Join(strings.Fields(v), " ")
		case "statement":
			s.Statement = v
		case "zone":
			s.Zone = v
		case "cron":
			s.Cron = v
		case "window":
			s.Window = Length(v)
		case "give_back_after":
			s.GiveBackAfter = Length(v)
		case "quiet_hours":
			s.QuietHours = v
		case "min_replies":
			n, err := strconv.Atoi(v)
			if err != nil || n < b.o.Limits.MinReplies || n > 100 {
				wrong[f.Name] = say("team.min-too-low", "floor", strconv.Itoa(b.o.Limits.MinReplies))
				continue
			}
			s.MinReplies = n
		}
	}
	return s
}

func problems(err error) []*Problem {
	if err == nil {
		return nil
	}
	var p *Problem
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Problem
		for _, e := range joined.Unwrap() {
			all = append(all, problems(e)...)
		}
		return all
	}
	if errors.As(err, &p) {
		return []*Problem{p}
	}
	return nil
}

// switchOn stores the team and announces it, in one step. With announced activation the team is asked first.
func (b *Bot) switchOn(ctx context.Context, e FormSubmitted, t Team, s Settings, cal *Calendar) (Response, error) {
	say := sayer(e.Lang)
	now := e.At
	last, err := b.lastGiveBack(ctx, t.ID)
	if err != nil {
		return say.message("common.later"), err
	}
	first := cal.Next(now, now, last, false)
	if first.Opens.IsZero() {
		return say.message("team.never-due"), nil
	}
	var join *Round
	if b.o.Activation == "announced" && s.Rhythm != RhythmTalkOnly {
		join = &Round{
			ID: RoundID(rand.Text()), Team: t.ID, Kind: RoundJoin, State: RoundOpen, Due: now.UTC(), Opens: now.UTC(),
			Closes: cal.Move(now.AddDate(0, 0, 7)).UTC(), Lang: s.Lang, Zone: s.Zone, MinReplies: s.MinReplies,
		}
		if err := b.o.Keys.Create(ctx, newBallotSlot(join.ID)); err != nil {
			return say.message("common.later"), err
		}
	}
	name := ""
	if e.Chan == "" && t.Name == "" {
		name = b.channelName(ctx, t.ID)
	}
	edit := func(t *Team) (Also, error) {
		if t.State == TeamOn || t.State == TeamJoining {
			return Also{}, ErrExists
		}
		if err := t.steer(now); err != nil {
			return Also{}, err
		}
		t.Name = cmp.Or(e.Chan, t.Name, name)
		t.Settings, t.SwitchedOnBy, t.Since = s, e.User.Actor(), now.UTC()
		t.Season++
		t.SeasonRounds, t.SeasonSince, t.Thin, t.HalfPace, t.SkipNext, t.Skipped = 0, time.Time{}, 0, false, false, now.UTC()
		also := Also{Audit: []AuditEntry{{At: now.UTC(), By: e.User.Actor(), Team: t.ID, What: "on", How: string(s.Rhythm)}}}
		t.Vote = ""
		if join != nil {
			t.State, t.Vote = TeamJoining, join.ID
		} else {
			t.State, t.NextDue, t.NextOpens = TeamOn, first.Due.UTC(), first.Opens.UTC()
		}
		p := b.say(t.ID, t.actPost("on"), b.announcement(*t, e.Name, first, join), now)
		if join != nil {
			p.ID = stepPost(join.ID, "prompt")
		}
		also.Posts = append(also.Posts, p)
		return also, nil
	}
	if join != nil {
		if err := b.o.Store.UpdateTeam(ctx, t.ID, func(t *Team) (Also, error) { return Also{}, nil }); err != nil {
			return say.message("common.later"), err
		}
	}
	if join != nil {
		err = b.o.Store.PlanRound(ctx, *join, edit)
	} else {
		err = b.o.Store.UpdateTeam(ctx, t.ID, edit)
	}
	if err != nil && join != nil {
		err = errors.Join(err, b.o.Keys.Destroy(ctx, ballotSlot(join.ID)))
	}
	switch {
	case errors.Is(err, ErrExists):
		return say.message("team.on-already"), nil
	case errors.Is(err, errSame):
		return say.message("team.newer"), nil
	case err != nil:
		return say.message("common.later"), err
	}
	b.wake(b.wakeAgenda)
	b.wake(b.wakeSender)
	if join != nil {
		return say.kept("team.joining-private", "closing", locale.Moment(e.Lang, join.Closes.In(zoneOf(s.Zone)))), nil
	}
	return say.kept("team.on-private", "moment", locale.Moment(e.Lang, first.Opens.In(zoneOf(s.Zone)))), nil
}

// channelName asks what a channel is called; empty: nobody says.
func (b *Bot) channelName(ctx context.Context, team TeamID) string {
	namer, ok := b.chatOf(team).(Namer)
	if !ok {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	name, err := namer.ChannelName(ctx, team)
	if err != nil {
		b.o.Log.Warn("a channel's name is not known", "err", err)
	}
	return name
}

// changeSettings stores what a manager changed and says so in the channel. An open round keeps what it opened with.
func (b *Bot) changeSettings(ctx context.Context, e FormSubmitted, s Settings, cal *Calendar) (Response, error) {
	say := sayer(e.Lang)
	now := e.At
	changed, again := false, false
	after := now
	if t, err := b.o.Store.Team(ctx, TeamID(e.State)); err == nil && t.Vote != "" { // nothing opens before the vote ends
		if vote, err := b.o.Store.Round(ctx, t.Vote); err == nil && vote.Closes.After(now) {
			after = vote.Closes.Add(-time.Nanosecond)
		}
	}
	last, err := b.lastGiveBack(ctx, TeamID(e.State))
	if err != nil {
		return say.message("common.later"), err
	}
	err = b.o.Store.UpdateTeam(ctx, TeamID(e.State), func(t *Team) (Also, error) {
		old := t.Settings
		lines := changes(old, s)
		again = t.Steered.Equal(now)
		if changed = len(lines) > 0; !changed {
			return Also{}, errSame
		}
		if err := t.steer(now); err != nil {
			return Also{}, err
		}
		t.Settings = s
		if t.State == TeamOn && (old.Rhythm != s.Rhythm || old.Cron != s.Cron || old.Window != s.Window || old.Zone != s.Zone || old.QuietHours != s.QuietHours) {
			if old.Rhythm != s.Rhythm {
				t.Since = now.UTC()
			}
			m := cal.Next(t.Since, after, last, t.HalfPace)
			t.NextDue, t.NextOpens = m.Due.UTC(), m.Opens.UTC()
		}
		return Also{
			Posts: []Post{b.say(t.ID, t.actPost("settings"), b.settingsMessage(*t, lines), now)},
			Audit: []AuditEntry{{At: now.UTC(), By: e.User.Actor(), Team: t.ID, What: "settings", How: strings.Join(lines, " ")}},
		}, nil
	})
	switch {
	case !errors.Is(err, errSame):
	case again: // the same form once more
		return say.kept("team.settings-private"), nil
	case changed:
		return say.message("team.newer"), nil
	default:
		return say.kept("team.settings-same"), nil
	}
	if err != nil {
		return say.message("common.later"), err
	}
	b.wake(b.wakeAgenda)
	b.wake(b.wakeSender)
	return say.kept("team.settings-private"), nil
}

// changes names the settings that differ.
func changes(a, b Settings) []string {
	var names []string
	note := func(name string, differs bool) {
		if differs {
			names = append(names, name)
		}
	}
	note("lang", a.Lang != b.Lang)
	note("rhythm", a.Rhythm != b.Rhythm || a.Cron != b.Cron || a.Window != b.Window || a.GiveBackAfter != b.GiveBackAfter)
	note("zone", a.Zone != b.Zone)
	note("audience", !slices.Equal(a.Audience, b.Audience))
	note("adviser", a.Adviser != b.Adviser)
	note("statement", a.Statement != b.Statement)
	note("min_replies", a.MinReplies != b.MinReplies)
	note("quiet_hours", a.QuietHours != b.QuietHours)
	return names
}

// switchOff stops a team. A round that is open still closes and is given back: nothing is asked without giving back.
func (b *Bot) switchOff(ctx context.Context, f From, t Team) (Response, error) {
	say := sayer(f.Lang)
	if ok, err := b.manages(ctx, f, t); err != nil || !ok {
		return say.message("team.managers-only"), err
	}
	done := func() (Response, error) {
		if t.Open != "" {
			return say.kept("team.off-after-private"), nil
		}
		return say.kept("team.off-private"), nil
	}
	if t.State == TeamOff && t.Steered.Equal(f.At) { // the same again
		return done()
	}
	if t.State == TeamOff || t.State == "" {
		return say.message("team.off-already"), nil
	}
	now := f.At
	err := b.o.Store.UpdateTeam(ctx, t.ID, func(t *Team) (Also, error) {
		if err := t.steer(now); err != nil {
			return Also{}, err
		}
		t.State, t.NextOpens, t.NextDue, t.SkipNext, t.Vote = TeamOff, time.Time{}, time.Time{}, false, ""
		text := locale.Text(t.Settings.Lang, "team.off")
		if t.Open != "" {
			text = locale.Text(t.Settings.Lang, "team.off-after-round")
		}
		m := Message{Lang: t.Settings.Lang, Blocks: []Block{Text(Rich(text)...)}}
		return Also{
			Posts: []Post{b.say(t.ID, t.actPost("off"), m, now)},
			Audit: []AuditEntry{{At: now.UTC(), By: f.User.Actor(), Team: t.ID, What: "off"}},
		}, nil
	})
	if errors.Is(err, errSame) {
		return say.message("team.newer"), nil
	}
	if err != nil {
		return say.message("common.later"), err
	}
	b.wake(b.wakeSender)
	return done()
}

// wakeUp lets a resting team go on.
func (b *Bot) wakeUp(ctx context.Context, f From, id TeamID) (Response, error) {
	say := sayer(f.Lang)
	t, err := b.o.Store.Team(ctx, id)
	if err != nil {
		return say.message("common.later"), err
	}
	if ok, err := b.manages(ctx, f, t); err != nil || !ok {
		return say.message("team.managers-only"), err
	}
	switch {
	case t.State == TeamResting:
	case t.State == TeamOn && t.Steered.Equal(f.At): // the same press again
		return say.kept("team.woken-private", "moment", locale.Moment(f.Lang, t.NextOpens.In(zoneOf(t.Settings.Zone)))), nil
	case t.State == TeamOn:
		return say.message("team.on-already"), nil
	default: // switched off since: the form asks everything again
		return b.askOn(ctx, f, t)
	}
	cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
	if err != nil {
		return say.message("common.later"), err
	}
	last, err := b.lastGiveBack(ctx, id)
	if err != nil {
		return say.message("common.later"), err
	}
	m := cal.Next(t.Since, f.At, last, false)
	err = b.o.Store.UpdateTeam(ctx, id, func(t *Team) (Also, error) {
		if t.State != TeamResting {
			return Also{}, errSame
		}
		if err := t.steer(f.At); err != nil {
			return Also{}, err
		}
		t.State, t.NextDue, t.NextOpens, t.Thin, t.HalfPace, t.SkipNext = TeamOn, m.Due.UTC(), m.Opens.UTC(), 0, false, false
		t.Skipped = f.At.UTC()
		t.Season++ // a rest ends the season it began in
		t.SeasonRounds, t.SeasonSince = 0, time.Time{}
		moment := locale.Moment(t.Settings.Lang, m.Opens.In(zoneOf(t.Settings.Zone)))
		text := Message{Lang: t.Settings.Lang, Blocks: []Block{Text(Rich(locale.Text(t.Settings.Lang, "vote.woken"), "moment", moment)...)}}
		return Also{
			Posts: []Post{b.say(t.ID, t.actPost("woken"), text, f.At)},
			Audit: []AuditEntry{{At: f.At.UTC(), By: f.User.Actor(), Team: t.ID, What: "on", How: "woken"}},
		}, nil
	})
	if errors.Is(err, errSame) {
		return say.message("team.newer"), nil
	}
	if err != nil {
		return say.message("common.later"), err
	}
	b.wake(b.wakeAgenda)
	b.wake(b.wakeSender)
	return say.kept("team.woken-private", "moment", locale.Moment(f.Lang, m.Opens.In(zoneOf(t.Settings.Zone)))), nil
}
