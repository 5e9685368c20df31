package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// What teams wish for, and what editors decide about it: words that teams would have as a tension, and what many called
// "something else" by one name. No team is named. A wish is the same for all teams that have it, and so is the decision.

// wordTension is the decision of editors to make a tension of a word.
const wordTension = "tension"

// wish is one word or name that waits for the editors.
type wish struct {
	form  string
	label bool // several people called "something else" so
}

// wishes are the words and names nobody at the desk decided about, each once, in the order of the alphabet.
func (b *Bot) wishes(ctx context.Context) ([]wish, error) {
	teams, err := b.o.Store.Teams(ctx)
	if err != nil {
		return nil, err
	}
	var out []wish
	add := func(w wish) {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	for _, t := range teams {
		for _, n := range t.Words {
			if n.Decision == wordPropose && n.Desk.Decision == "" {
				add(wish{form: n.Form})
			}
		}
		for _, l := range t.Labels {
			if l.Desk.Decision == "" {
				add(wish{l.Form, true})
			}
		}
	}
	slices.SortFunc(out, func(x, y wish) int {
		if x.label != y.label && x.label {
			return 1
		} else if x.label != y.label {
			return -1
		}
		return strings.Compare(x.form, y.form)
	})
	return out, nil
}

// mostWishes is how many of them stand in one message.
const mostWishes = 5

// proposals are what teams wish for, for editors, each with what may be decided.
func (b *Bot) proposals(ctx context.Context, lang prompts.Lang) ([]Block, error) {
	all, err := b.wishes(ctx)
	if err != nil {
		return nil, err
	}
	say := sayer(lang)
	var out []Block
	said := map[bool]bool{}
	for _, w := range all[:min(mostWishes, len(all))] {
		if !said[w.label] {
			intro := say("word.editors")
			if w.label {
				intro = say("word.editors-labels")
			}
			out, said[w.label] = append(out, Text(Span{Text: intro})), true
		}
		action := func(do, label, typed string) Action {
			return Action{Do: "desk-act", Arg: deskWord + " " + do + " " + w.form, Label: label, Typed: typed}
		}
		make := action(wordTension, say("desk.word-tension"), say("desk.word-tension-typed", "word", w.form))
		make.Do = "desk-form"
		out = append(out, Text(Span{Text: w.form, Strong: true}), Block{Kind: BlockActions, Actions: []Action{
			action(wordBelongs, say("word.belongs"), say("desk.word-belongs-typed", "word", w.form)), make,
			action(wordNever, say("word.never"), say("desk.word-never-typed", "word", w.form)),
		}})
	}
	if more := len(all) - mostWishes; more > 0 {
		out = append(out, Note(say("desk.more-wishes", "count", strconv.Itoa(more))))
	}
	return out, nil
}

// parseDeskWord reads a word with a decision, as it is typed behind "library word".
func parseDeskWord(rest string) (form, do string, number int, ok bool) {
	for _, typed := range []string{"spanning", "tension"} {
		if form, found := strings.CutSuffix(rest, " "+typed); found && form != "" {
			return form, wordTension, 0, true
		}
	}
	form, do, number, ok = parseWord(rest)
	return form, do, number, ok && do != wordPropose
}

func (b *Bot) deskWordTyped(ctx context.Context, f From, rest string) (Response, error) {
	form, do, number, _ := parseDeskWord(strings.ToLower(rest))
	lib, err := b.library(ctx)
	if err != nil {
		return sayer(f.Lang).message("common.later"), err
	}
	var tension prompts.TensionID
	if offered := offered(lib); number > 0 && number <= len(offered) {
		tension = offered[number-1].ID
	}
	return b.decideWish(ctx, f, form, do, tension)
}

// offered are the tensions in use.
func offered(lib prompts.Library) []prompts.Tension {
	return slices.DeleteFunc(slices.Clone(lib.Tensions), func(t prompts.Tension) bool { return t.Retired })
}

// deskWordPressed handles a button below a wish: what is decided, which tension it belongs to, and the word.
func (b *Bot) deskWordPressed(ctx context.Context, e ActionPressed, rest string) (Response, error) {
	do, form, _ := strings.Cut(rest, " ")
	do, tension, _ := strings.Cut(do, ":")
	return b.decideWish(ctx, e.From, form, do, prompts.TensionID(tension))
}

// decideWish keeps what an editor decided about a word, wherever it stands.
func (b *Bot) decideWish(ctx context.Context, f From, form, do string, tension prompts.TensionID) (Response, error) {
	say := sayer(f.Lang)
	lib, err := b.library(ctx)
	if err != nil {
		return say.message("common.later"), err
	}
	d := WordDecision{Decision: do, Decided: f.At.UTC()}
	switch do {
	case wordBelongs:
		t, ok := lib.Tension(tension)
		if !ok {
			return whichWish(form, &lib, f.Lang), nil
		}
		d.Tension = t.ID
	case wordTension:
		return b.askTension(ctx, f, form)
	case wordNever:
	default:
		return say.message("reply.pick-again"), nil
	}
	found, err := b.settleWish(ctx, f, form, d)
	switch {
	case err != nil:
		return say.message("common.later"), err
	case !found:
		return say.message("word.gone"), nil
	}
	if do == wordNever {
		return say.kept("desk.word-never-done", "word", form), nil
	}
	t, _ := lib.Tension(tension)
	return say.kept("desk.word-belongs-done", "word", form, "tension", t.Label.In(f.Lang)), nil
}

// settleWish notes a decision at every team that has the word; the newest stands, whatever comes again.
func (b *Bot) settleWish(ctx context.Context, f From, form string, d WordDecision) (found bool, err error) {
	teams, err := b.o.Store.Teams(ctx)
	if err != nil {
		return false, err
	}
	has := func(w string) bool { return strings.EqualFold(w, form) }
	for _, t := range teams {
		word := slices.ContainsFunc(t.Words, func(n WordNote) bool { return has(n.Form) && n.Decision == wordPropose })
		if !word && !slices.ContainsFunc(t.Labels, func(l LabelNote) bool { return has(l.Form) }) {
			continue
		}
		found = true
		var audit []AuditEntry
		err := b.o.Store.UpdateTeam(ctx, t.ID, func(t *Team) (Also, error) {
			changed := false
			t.Words, t.Labels = slices.Clone(t.Words), slices.Clone(t.Labels)
			for i, n := range t.Words {
				if has(n.Form) && n.Decision == wordPropose && d.Decided.After(n.Desk.Decided) {
					t.Words[i].Desk, changed = d, true
				}
			}
			for i, l := range t.Labels {
				if has(l.Form) && d.Decided.After(l.Desk.Decided) {
					t.Labels[i].Desk, changed = d, true
				}
			}
			if !changed {
				return Also{}, errSame
			}
			audit = []AuditEntry{{At: f.At.UTC(), By: f.User.Actor(), What: "word", How: d.Decision}}
			return Also{Audit: audit}, nil
		})
		if err != nil && !errors.Is(err, errSame) {
			return found, err
		}
	}
	return found, nil
}

// whichWish asks which tension a word belongs to, in the one fixed order.
func whichWish(form string, lib *prompts.Library, lang prompts.Lang) Response {
	say := sayer(lang)
	var actions []Action
	for n, t := range offered(*lib) {
		number := strconv.Itoa(n + 1)
		actions = append(actions, Action{Do: "desk-act", Arg: deskWord + " " + wordBelongs + ":" + string(t.ID) + " " + form,
			Label: number + ". " + t.Label.In(lang), Typed: say("desk.word-belongs-typed", "word", form) + " " + number})
	}
	return Response{Message: &Message{Lang: lang, Blocks: []Block{Text(Rich(say("word.which"), "word", form)...), {Kind: BlockActions, Actions: actions}}}}
}

// askTension opens a draft of a tension with a word as its name. It is kept when its form is complete, out of use.
func (b *Bot) askTension(ctx context.Context, f From, form string) (Response, error) {
	say := sayer(f.Lang)
	all, err := b.wishes(ctx)
	if err != nil {
		return say.message("common.later"), err
	}
	if !slices.ContainsFunc(all, func(w wish) bool { return strings.EqualFold(w.form, form) }) {
		return say.message("word.gone"), nil
	}
	id := slugOf(form)
	if id == "" {
		id = "tension-" + strings.ToLower(newCode()[:4])
	}
	s := deskState{EntryKey{EntryTension, id}, "", f.Lang, newCode()[:4] + "-" + slugOf(form)}
	return Response{Form: b.tensionForm(f, s, locale.Capital(form))}, nil
}

// slugOf makes an ID of a word.
func slugOf(word string) string {
	var out []string
	for _, w := range words(word) {
		plain := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, w.fold)
		if plain != "" {
			out = append(out, plain)
		}
	}
	slug := strings.Join(out, "-")
	return strings.Trim(slug[:min(40, len(slug))], "-")
}

// tensionForm asks for a new tension in both languages.
func (b *Bot) tensionForm(f From, s deskState, label string) *Form {
	say := sayer(f.Lang)
	form := &Form{Name: formWords, State: f.User.platform + ":" + s.String(), Lang: f.Lang, Title: say("desk.tension-title"), Submit: say("desk.form-submit"),
		Intro: []Block{Text(Rich(say("desk.tension-intro"))...)}}
	for _, l := range prompts.Langs() {
		for _, field := range wordFields(Entry{Tension: &prompts.Tension{}}, l, f.Lang) {
			field.Name, field.Label, field.Required = field.Name+"_"+string(l), field.Label+" ("+string(l)+")", true
			if field.Name == "label_"+string(f.Lang) {
				field.Value = value(label)
			}
			form.Fields = append(form.Fields, field)
		}
	}
	return form
}

// submitTension keeps a new tension, out of use until an editor brings it into use.
func (b *Bot) submitTension(ctx context.Context, e FormSubmitted, s deskState) (Response, error) {
	say := sayer(e.Lang)
	form := b.tensionForm(e.From, s, "")
	wrong := map[string]string{}
	t := prompts.Tension{ID: prompts.TensionID(s.key.ID), Retired: true}
	for i, f := range form.Fields {
		v := strings.Join(strings.Fields(clean(first(e.Values[f.Name]))), " ")
		form.Fields[i].Value = value(v)
		switch over := len([]rune(v)) - f.Max; {
		case v == "":
			wrong[f.Name] = say("propose.missing")
		case over > 0:
			wrong[f.Name] = say("propose.too-long", "over", strconv.Itoa(over), "max", strconv.Itoa(f.Max))
		}
		name, lang := f.Name[:len(f.Name)-3], prompts.Lang(f.Name[len(f.Name)-2:])
		at := map[string]*prompts.Text{"label": &t.Label, "short": &t.Short, "a": &t.A, "b": &t.B, "protects_a": &t.ProtectsA, "protects_b": &t.ProtectsB}[name]
		if *at == nil {
			*at = prompts.Text{}
		}
		(*at)[lang] = v
	}
	if len(wrong) > 0 {
		return Response{Form: form, Errors: wrong}, nil
	}
	saved, err := b.draftTension(ctx, e.User.Actor(), t)
	switch refused, isRefused := errors.AsType[*Refused](err); {
	case isRefused:
		for _, p := range refused.Problems {
			name := p.Field
			if l, rest, ok := strings.Cut(p.Field, "."); ok {
				name = rest + "_" + l
			}
			atField(form, name, p.In(e.Lang), e.Lang, wrong)
		}
		return Response{Form: form, Errors: wrong}, nil
	case err != nil:
		return b.deskRefused(err, e.Lang)
	}
	_, word, _ := strings.Cut(s.mark, "-")
	for _, w := range b.wishesLike(ctx, word) {
		if _, err := b.settleWish(ctx, e.From, w, WordDecision{Decision: wordTension, Tension: t.ID, Decided: e.At.UTC()}); err != nil {
			return say.message("common.later"), err
		}
	}
	return doneAt(saved, say("desk.tension-kept"), e.Lang), nil
}

// draftTension keeps a new tension out of use.
func (b *Bot) draftTension(ctx context.Context, by ActorID, t prompts.Tension) (Entry, error) {
	key := EntryKey{EntryTension, string(t.ID)}
	err := b.editLibrary(ctx, func(l *layers) (Also, error) {
		if _, used := l.own.Used[key]; used {
			return Also{}, ErrExists
		}
		content := Content{Tension: &t}
		if r := refusedOf(with(l.library(true), content), key, false); r != nil {
			return Also{}, r
		}
		l.put(key, content, did(by, "new"), nil)
		return audited(l.own.Entries[key].Last, key), nil
	})
	if err != nil {
		return Entry{}, err
	}
	return b.Entry(ctx, key)
}

// wishesLike are the open wishes that make one slug.
func (b *Bot) wishesLike(ctx context.Context, slug string) (forms []string) {
	all, err := b.wishes(ctx)
	if err != nil {
		return nil
	}
	for _, w := range all {
		if slugOf(w.form) == slug {
			forms = append(forms, w.form)
		}
	}
	return forms
}

// ---- telling editors

// notices are the messages to the editors who asked to hear that something waits, except who sent it in. They leave on the
// next working morning; for what members brought, on the Monday of this week. There is at most one a day for each.
func (b *Bot) notices(ctx context.Context, by ActorID, now time.Time, members bool) ([]Post, error) {
	watchers, err := b.watchers(ctx)
	if err != nil {
		return nil, err
	}
	zone := zoneOf(b.o.Team.Zone)
	at := now.In(zone)
	day := time.Date(at.Year(), at.Month(), at.Day()+1, 9, 0, 0, 0, zone)
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, 1)
	}
	if members {
		day = mondayOf(now, zone)
	}
	var posts []Post
	for _, w := range watchers {
		if w.By == by || !b.MayEdit(w.By) {
			continue
		}
		say := sayer(w.Lang)
		m := Message{Lang: w.Lang, Blocks: []Block{Text(Rich(say("desk.notice"))...),
			{Kind: BlockActions, Actions: []Action{searchAction(say("desk.all-waiting"), say("desk.word-waiting"), w.Lang)}}, Note(say("desk.notice-off"))}}
		sum := sha256.Sum256([]byte(w.By)) // the ID of a post may be logged
		posts = append(posts, Post{ID: PostID("library/" + hex.EncodeToString(sum[:8]) + "/" + day.Format(time.DateOnly)), Key: newKey(),
			Team: TeamID(w.By.Platform() + ":"), To: w.By, Message: m, State: PostQueued, After: day.UTC(), Until: day.AddDate(0, 0, 5).UTC()})
	}
	return posts, nil
}

// setWatch keeps whether an editor is told. What is not newer is a redelivery.
func (b *Bot) setWatch(ctx context.Context, f From, on bool) error {
	who := f.User.Actor()
	return b.o.Store.UpdateWatchers(ctx, func(all []Watcher) ([]Watcher, error) {
		i := slices.IndexFunc(all, func(w Watcher) bool { return w.By == who })
		switch {
		case i < 0 && !on, i >= 0 && !f.At.After(all[i].At):
			return nil, errSame
		case i < 0:
			return append(slices.Clone(all), Watcher{By: who, Lang: f.Lang, At: f.At.UTC(), On: on}), nil
		}
		all = slices.Clone(all)
		all[i].Lang, all[i].At, all[i].On = f.Lang, f.At.UTC(), on
		return all, nil
	})
}

// keepUnwatched is how long it is kept that an editor asked to be told no more: until nothing older can come again.
const keepUnwatched = 48 * time.Hour

// forgetWatchers drops those who asked it no more, a while ago.
func (b *Bot) forgetWatchers(ctx context.Context, now time.Time) error {
	old := func(w Watcher) bool { return !w.On && w.At.Before(now.Add(-keepUnwatched)) }
	all, err := b.o.Store.Watchers(ctx)
	if err != nil || !slices.ContainsFunc(all, old) {
		return err
	}
	return b.o.Store.UpdateWatchers(ctx, func(all []Watcher) ([]Watcher, error) { return slices.DeleteFunc(slices.Clone(all), old), nil })
}

// watchers are the editors who asked to be told.
func (b *Bot) watchers(ctx context.Context) ([]Watcher, error) {
	all, err := b.o.Store.Watchers(ctx)
	return slices.DeleteFunc(slices.Clone(all), func(w Watcher) bool { return !w.On }), err
}

func (b *Bot) watches(ctx context.Context, who ActorID) (bool, error) {
	all, err := b.watchers(ctx)
	return slices.ContainsFunc(all, func(w Watcher) bool { return w.By == who }), err
}

// deskNotify has an editor told that something waits, or no more.
func (b *Bot) deskNotify(ctx context.Context, f From, on bool) (Response, error) {
	say := sayer(f.Lang)
	if err := b.setWatch(ctx, f, on); err != nil && !errors.Is(err, errSame) {
		return say.message("common.later"), err
	}
	if on {
		return say.kept("desk.notify-done"), nil
	}
	return say.kept("desk.notify-off-done"), nil
}
