package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// The decisions about a new word.
const (
	wordPropose = "propose"
	wordBelongs = "belongs"
	wordNever   = "never"
)

// labelRounds is in how many rounds three replies must give "something else" one name before the editors hear of it. A round
// with fewer counts for nothing: else the name would appear with one person's words.
const labelRounds = 2

// newsMessage tells a round's new words, each with what may be decided about it, or what was.
func newsMessage(r Round, notes []WordNote, lib *prompts.Library) Message {
	say := sayer(r.Lang)
	m := Message{Lang: r.Lang}
	open := false
	for i, w := range r.News {
		key := "word.new"
		switch more := w.From > minCell; { // how often before is not known then
		case w.Again && more:
			key = "word.again-more"
		case more:
			key = "word.new-more"
		case w.Again:
			key = "word.again"
		}
		before := locale.Number(r.Lang, w.Before)
		if w.Before == 0 {
			before = say("word.in-none")
		}
		m.Blocks = append(m.Blocks, Text(Rich(say(key), "word", w.Form, "rounds", locale.Number(r.Lang, w.Rounds),
			"before", before, "of", locale.Number(r.Lang, w.Of))...))
		if n := slices.IndexFunc(notes, func(n WordNote) bool { return n.Key == w.Key && n.Decision != "" }); n >= 0 {
			m.Blocks = append(m.Blocks, Text(notes[n].told(r.Lang, lib)...))
			continue
		}
		open = true
		action := func(do, label, typed string) Action {
			return Action{Do: "word", Round: r.ID, Arg: do + "/" + strconv.Itoa(i), Label: label, Typed: typed}
		}
		m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: []Action{
			action(wordPropose, say("word.propose"), say("word.propose-word", "word", w.Form)),
			action(wordBelongs, say("word.belongs"), say("word.belongs-word", "word", w.Form)),
			action(wordNever, say("word.never"), say("word.never-word", "word", w.Form)),
		}})
	}
	if open {
		m.Blocks = append(m.Blocks, Note(say("word.note")))
	}
	return m
}

// told says what was decided.
func (n WordNote) told(lang prompts.Lang, lib *prompts.Library) []Span {
	switch n.Decision {
	case wordPropose:
		return Rich(locale.Text(lang, "word.proposed"), "word", n.Form)
	case wordBelongs:
		label := string(n.Tension)
		if t, ok := lib.Tension(n.Tension); ok {
			label = inSentence(t.Label.In(lang))
		}
		return Rich(locale.Text(lang, "word.belonging"), "word", n.Form, "tension", label)
	}
	return Rich(locale.Text(lang, "word.nevermind"), "word", n.Form)
}

// notesOf are the words that a round gave back last, with what was decided about them.
func (t *Team) notesOf(id RoundID) (notes []WordNote) {
	for _, n := range t.Words {
		if n.Round == id {
			notes = append(notes, n)
		}
	}
	return notes
}

// news finds the new words of a round that is given back, among all rounds of its team.
func (t *Team) news(r *Round, rounds []Round) {
	rounds = slices.Clone(rounds)
	if i := slices.IndexFunc(rounds, func(other Round) bool { return other.ID == r.ID }); i >= 0 {
		rounds[i] = *r
		rounds = rounds[:i+1]
	}
	r.News = newWords(rounds, t.Words)
	t.noteWords(*r)
}

// wordPressed handles a button below a new word; its argument is what is decided, which word of its round, and which
// tension.
func (b *Bot) wordPressed(ctx context.Context, e ActionPressed) (Response, error) {
	say := sayer(e.Lang)
	r, err := b.o.Store.Round(ctx, e.Action.Round)
	if errors.Is(err, ErrNotFound) {
		return say.message("word.gone"), nil
	}
	if err != nil {
		return say.message("common.later"), err
	}
	parts := strings.SplitN(e.Action.Arg, "/", 3)
	if len(parts) < 2 {
		return say.message("reply.pick-again"), nil
	}
	i, err := strconv.Atoi(parts[1])
	if err != nil || i < 0 || i >= len(r.News) {
		return say.message("word.gone"), nil
	}
	tension := ""
	if len(parts) == 3 {
		tension = parts[2]
	}
	return b.decideWord(ctx, e.From, r, i, parts[0], prompts.TensionID(tension))
}

// wordActs are the words that decide about a word, as they are typed behind it.
func wordActs() []struct{ typed, do string } {
	return []struct{ typed, do string }{
		{"voorstellen", wordPropose}, {"propose", wordPropose}, {"hoort bij", wordBelongs}, {"belongs to", wordBelongs},
		{"laat maar", wordNever}, {"never mind", wordNever},
	}
}

// parseWord reads what is typed behind "woord": a word, what is decided, and the number of a tension.
func parseWord(rest string) (form, do string, number int, ok bool) {
	for _, act := range wordActs() {
		form, behind, found := strings.Cut(rest, " "+act.typed)
		if !found || form == "" {
			continue
		}
		if behind == "" {
			return form, act.do, 0, true
		}
		n, err := strconv.Atoi(strings.TrimPrefix(behind, " "))
		if act.do == wordBelongs && err == nil && n > 0 {
			return form, act.do, n, true
		}
	}
	return "", "", 0, false
}

// knowsWord says whether what is typed behind "woord" is about a word that was given back to a channel of who types it. Else
// it is a sentence that begins with that word.
func (b *Bot) knowsWord(ctx context.Context, f From, rest string) bool {
	form, _, _, _ := parseWord(rest)
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return false // a sentence that may be an answer is kept as one
	}
	return slices.ContainsFunc(channels, func(id TeamID) bool {
		t, err := b.o.Store.Team(ctx, id)
		return err == nil && slices.ContainsFunc(t.Words, func(n WordNote) bool { return n.Form == form })
	})
}

// wordTyped is wordPressed for those who type.
func (b *Bot) wordTyped(ctx context.Context, f From, t Team, rest string) (Response, error) {
	say := sayer(f.Lang)
	form, do, number, ok := parseWord(rest)
	if !ok {
		return say.message("word.gone"), nil
	}
	for _, n := range slices.Backward(t.Words) {
		if n.Form != form {
			continue
		}
		r, err := b.o.Store.Round(ctx, n.Round)
		if err != nil {
			return say.message("common.later"), err
		}
		lib, err := b.library(ctx)
		if err != nil {
			return say.message("common.later"), err
		}
		var tension prompts.TensionID
		if offered := lib.Offered(); number > 0 && number <= len(offered) {
			tension = offered[number-1].ID
		}
		i := slices.IndexFunc(r.News, func(w NewWord) bool { return w.Key == n.Key })
		if i < 0 {
			break
		}
		return b.decideWord(ctx, f, r, i, do, tension)
	}
	return say.message("word.gone"), nil
}

// decideWord keeps what somebody in the channel decided about a word, openly: the newest decision stands, and nobody is
// named. Which tension a word belongs to is asked first.
func (b *Bot) decideWord(ctx context.Context, f From, r Round, i int, do string, tension prompts.TensionID) (Response, error) {
	say := sayer(f.Lang)
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return say.message("common.later"), err
	}
	if !slices.Contains(channels, r.Team) {
		return say.message("reply.not-in-channel"), nil
	}
	lib, err := b.library(ctx)
	if err != nil {
		return say.message("common.later"), err
	}
	w := r.News[i]
	decision := WordDecision{Decision: do, Decided: f.At.UTC()}
	switch do {
	case wordBelongs:
		if _, ok := lib.Tension(tension); !ok {
			return whichTension(r, i, &lib, f.Lang), nil
		}
		decision.Tension = tension
	case wordPropose, wordNever:
	default:
		return say.message("reply.pick-again"), nil
	}
	var note WordNote
	gone := false
	err = b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		n := slices.IndexFunc(t.Words, func(n WordNote) bool { return n.Key == w.Key })
		if gone = n < 0; gone {
			return Also{}, errSame
		}
		if note = t.Words[n]; !f.At.After(note.Decided) {
			return Also{}, errSame
		}
		t.Words = slices.Clone(t.Words)
		t.Words[n].WordDecision = decision
		note = t.Words[n]
		edit := b.say(r.Team, PostID(string(stepPost(r.ID, "words"))+"/"+strconv.FormatInt(version(f.At), 10)), newsMessage(*r, t.Words, &lib), f.At)
		edit.EditOf = stepPost(r.ID, "words")
		return Also{Posts: []Post{edit}}, nil
	})
	if err != nil && !errors.Is(err, errSame) {
		return say.message("common.later"), err
	}
	if gone {
		return say.message("word.gone"), nil
	}
	b.wake(b.wakeSender)
	return Response{Message: &Message{Lang: f.Lang, Blocks: []Block{Text(note.told(f.Lang, &lib)...)}}, Kept: true}, nil
}

// whichTension asks where a word belongs, in the one fixed order.
func whichTension(r Round, i int, lib *prompts.Library, lang prompts.Lang) Response {
	say, w := sayer(lang), r.News[i]
	var actions []Action
	for n, t := range lib.Offered() {
		number := strconv.Itoa(n + 1)
		actions = append(actions, Action{Do: "word", Round: r.ID, Arg: wordBelongs + "/" + strconv.Itoa(i) + "/" + string(t.ID),
			Label: number + ". " + t.Label.In(lang), Typed: say("word.belongs-number", "word", w.Form, "number", number)})
	}
	return Response{Message: &Message{Lang: lang, Blocks: []Block{Text(Rich(say("word.which"), "word", w.Form)...), {Kind: BlockActions, Actions: actions}}}}
}

// labelKey makes one of the ways to write a name: its stems in the order of the alphabet, and the words that turn it around.
func labelKey(label string, lang prompts.Lang) string {
	var stems []string
	for _, w := range tokenise(label) {
		switch {
		case turns(w.form):
			stems = append(stems, w.form)
		case content(w.form, lang):
			stems = append(stems, stem(w.form, lang))
		}
	}
	slices.Sort(stems)
	return strings.Join(slices.Compact(stems), " ")
}

// turns says whether a word turns what a name says around, or says how much of it: without it "no trust" would be "trust".
func turns(form string) bool {
	switch form {
	case "niet", "geen", "nooit", "niets", "niemand", "zonder", "te", "weinig", "veel", "meer", "minder",
		"not", "no", "never", "nothing", "nobody", "without", "too", "few", "little", "much", "many", "more", "less":
		return true
	}
	return strings.HasSuffix(form, "n't")
}

// roundNames are the names for "something else" that a round's kept replies have.
type roundNames struct {
	round RoundID
	names []string
}

// namesOf finds the names for "something else" that come back in the replies that are kept: in three of a round, in two
// rounds.
func namesOf(rounds []roundNames, lang prompts.Lang) (out []LabelNote) {
	type use struct {
		rounds []RoundID
		forms  map[string]int
	}
	uses := map[string]*use{}
	for _, r := range rounds {
		here := map[string][]string{}
		for _, label := range r.names {
			if key := labelKey(label, lang); key != "" {
				here[key] = append(here[key], strings.ToLower(label))
			}
		}
		for key, forms := range here {
			if len(forms) < minCell {
				continue
			}
			if uses[key] == nil {
				uses[key] = &use{forms: map[string]int{}}
			}
			u := uses[key]
			u.rounds = append(u.rounds, r.round)
			for _, f := range forms {
				u.forms[f]++
			}
		}
	}
	for key, u := range uses {
		if len(u.rounds) < labelRounds {
			continue
		}
		form := ""
		for f, n := range u.forms {
			if form == "" || cmp.Or(u.forms[form]-n, len(f)-len(form), cmp.Compare(f, form)) < 0 {
				form = f
			}
		}
		out = append(out, LabelNote{Key: key, Form: form, Rounds: u.rounds})
	}
	slices.SortFunc(out, func(a, b LabelNote) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// labelsOf looks in what is kept of a team's rounds for names that come back, once a round with content had any. A name that
// looks like personal data or too heavy a matter is none; where the members' names are not known now, that cannot be told.
func (b *Bot) labelsOf(ctx context.Context, r Round, rounds []Round) ([]LabelNote, error) {
	if r.Tally == nil || r.Tally.Other == 0 || !telling(r.Tally, r.MinReplies) {
		return nil, nil
	}
	members := b.membersOf(ctx, r.Team)
	if len(members) == 0 {
		return nil, nil
	}
	var all []roundNames
	for _, other := range rounds {
		if other.ID != r.ID && !hasContent(other) || other.Tally == nil || other.Tally.Other == 0 {
			continue
		}
		replies, err := b.released(ctx, other)
		if err != nil {
			return nil, err
		}
		labels := roundNames{round: other.ID}
		for _, reply := range replies {
			if reply.Other != "" && len(FindHints(reply.Other, HintOptions{Cases: b.o.CaseNumbers, Members: members})) == 0 && len(FindHeavy(reply.Other, b.o.Heavy)) == 0 {
				labels.names = append(labels.names, reply.Other)
			}
		}
		all = append(all, labels)
	}
	return namesOf(all, r.Lang), nil
}

// noteLabels keeps names that the editors have not seen yet, and which rounds they rest on.
func (t *Team) noteLabels(labels []LabelNote) {
	t.Labels = slices.Clone(t.Labels)
	for _, l := range labels {
		i := slices.IndexFunc(t.Labels, func(have LabelNote) bool { return have.Key == l.Key })
		if i < 0 {
			t.Labels = append(t.Labels, l)
		} else {
			t.Labels[i].Rounds = l.Rounds
		}
	}
}

// dropLabels lets go of the names that rest on no round any more whose replies are kept, now that those of one are gone.
func (t *Team) dropLabels(gone RoundID) {
	labels := t.Labels
	t.Labels = nil
	for _, l := range labels {
		l.Rounds = slices.DeleteFunc(slices.Clone(l.Rounds), func(id RoundID) bool { return id == gone })
		if len(l.Rounds) > 0 {
			t.Labels = append(t.Labels, l)
		}
	}
}
