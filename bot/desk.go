package bot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// The desk is the library in chat, for its editors: what there is and what waits, search, one entry with what may be done
// with it, and the wishes of teams. Whatever a button does can be typed behind "bibliotheek". What changes an entry names
// the version its reader saw, so that a press that comes late or twice changes nothing newer.

// deskActs are the words behind "library", in either language, and what they do.
var deskActs = map[string]string{
	"zoek": deskSearch, "search": deskSearch, "toon": deskShow, "show": deskShow, "wijzig": deskEdit, "edit": deskEdit,
	"indienen": deskSubmit, "submit": deskSubmit, "activeer": deskActivate, "activate": deskActivate,
	"terug": deskReturn, "return": deskReturn, "stop": deskRetire, "retire": deskRetire, "wek": deskWake, "wake": deskWake,
	"houd": deskMine, "keep": deskMine, "neem": deskNew, "take": deskNew, "voegsamen": deskMerged, "merge": deskMerged,
	"help": deskHelp, "hulp": deskHelp, "meld": deskWatch, "notify": deskWatch, "woord": deskWord, "word": deskWord,
}

// What is done at the desk.
const (
	deskSearch   = "search"
	deskShow     = "show"
	deskEdit     = "edit"
	deskSubmit   = "submit"
	deskActivate = "activate"
	deskReturn   = "return"
	deskRetire   = "retire"
	deskWake     = "wake"
	deskMine     = "mine"
	deskNew      = "new"
	deskMerged   = "merged"
	deskWatch    = "watch"
	deskWord     = "word"
	deskHelp     = "help"
)

// deskCommand is what was typed behind "library".
type deskCommand struct {
	act   string
	id    string
	lang  prompts.Lang
	stamp string // the beginning of the version that was shown
	rest  string // words to search for, a reason, a word with a decision
	off   bool
}

// parseDesk reads what stands behind "library"; ok is false for what is nothing of it.
func parseDesk(rest string) (c deskCommand, ok bool) {
	words := strings.Fields(rest)
	if len(words) == 0 {
		return c, true
	}
	if c.act = deskActs[strings.ToLower(words[0])]; c.act == "" {
		return c, false
	}
	words = words[1:]
	switch c.act {
	case deskSearch:
		c.rest = strings.Join(words, " ")
		return c, len(words) <= 6
	case deskHelp:
		return c, len(words) == 0
	case deskWatch:
		c.off = len(words) == 1 && slices.Contains([]string{"niet", "uit", "off"}, strings.ToLower(words[0]))
		return c, len(words) == 0 || c.off
	case deskWord:
		c.rest = strings.Join(words, " ")
		_, _, _, ok := parseDeskWord(strings.ToLower(c.rest))
		return c, ok
	}
	if len(words) == 0 || !looksLikeID(strings.ToLower(words[0])) {
		return c, false
	}
	c.id, words = strings.ToLower(words[0]), words[1:]
	switch {
	case len(words) == 0:
		return c, true
	case c.act == deskEdit && len(words) == 1 && slices.Contains(prompts.Langs(), prompts.Lang(strings.ToLower(words[0]))):
		c.lang = prompts.Lang(strings.ToLower(words[0]))
		return c, true
	case c.act == deskShow || c.act == deskEdit:
		return c, false
	}
	c.stamp, c.rest = strings.ToLower(words[0]), strings.Join(words[1:], " ")
	return c, c.act == deskReturn || c.rest == ""
}

// looksLikeID says whether a word may be the ID of an entry, or its kind and ID.
func looksLikeID(word string) bool {
	kind, id, both := strings.Cut(word, "/")
	if !both {
		kind, id = string(EntryPrompt), word
	}
	known := slices.Contains([]EntryKind{EntryPrompt, EntryTension, EntryValue, EntryAudience}, EntryKind(kind))
	return known && id != "" && len(id) <= 60 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// acts says whether a command changes something at once.
func (c deskCommand) acts() bool {
	switch c.act {
	case "", deskSearch, deskShow, deskEdit, deskHelp:
		return false
	case deskReturn:
		return c.rest != ""
	case deskWatch:
		return true
	case deskWord:
		_, do, number, _ := parseDeskWord(strings.ToLower(c.rest))
		return do == wordNever || number > 0
	}
	return c.stamp != ""
}

// desk answers "library" and what stands behind it.
func (b *Bot) desk(ctx context.Context, f From, text string) (Response, error) {
	say := sayer(f.Lang)
	if !b.MayEdit(f.User.Actor()) {
		return say.message("cmd.editors-only"), nil
	}
	c, ok := parseDesk(afterVerb(text))
	if !ok || c.act == deskHelp {
		return b.deskHelp(f.Lang), nil
	}
	switch c.act {
	case "":
		return b.showLibrary(ctx, f)
	case deskSearch:
		return b.deskList(ctx, f.Lang, c.rest)
	case deskWatch:
		return b.deskNotify(ctx, f, !c.off)
	case deskWord:
		return b.deskWordTyped(ctx, f, c.rest)
	}
	e, cat, err := b.deskEntry(ctx, c.id)
	if err != nil {
		return b.deskRefused(err, f.Lang)
	}
	if c.act == deskShow {
		return b.deskView(ctx, f, e, cat, ""), nil
	}
	if c.act == deskEdit {
		return b.deskForm(f, e, cat, c.lang)
	}
	if c.act == deskReturn && c.stamp != "" && c.rest == "" {
		return Response{Form: b.returnForm(f, e)}, nil
	}
	if len(c.stamp) < shortStamp {
		return b.deskView(ctx, f, e, cat, say("desk.look-first")), nil
	}
	if !strings.HasPrefix(strings.ToLower(e.Stamp), c.stamp) {
		return b.deskStale(ctx, f, e, cat, c.act), nil
	}
	return b.deskAct(ctx, f, e.Key, c.act, e.Stamp, c.rest)
}

// afterVerb is what stands behind the first word of a command, as it was typed.
func afterVerb(text string) string {
	words := strings.Fields(strings.Trim(text, " .!/\n"))
	if len(words) > 0 && (strings.EqualFold(words[0], "weerklank") || strings.EqualFold(words[0], "@weerklank")) {
		words = words[1:]
	}
	return strings.Join(words[min(1, len(words)):], " ")
}

// shortStamp is how much of a version is typed.
const shortStamp = 6

func short(stamp string) string { return strings.ToLower(stamp[:min(shortStamp, len(stamp))]) }

// deskEntry finds an entry by its ID, or by its kind and ID; a prompt goes before a tension of the same name.
func (b *Bot) deskEntry(ctx context.Context, id string) (Entry, Catalogue, error) {
	cat, err := b.Catalogue(ctx)
	if err != nil {
		return Entry{}, cat, err
	}
	for _, kind := range []EntryKind{EntryPrompt, EntryTension, EntryValue, EntryAudience} {
		for _, e := range cat.Entries {
			if e.Key.Kind == kind && (e.Key.ID == id || e.Key.String() == id) {
				return e, cat, nil
			}
		}
	}
	return Entry{}, cat, ErrNotFound
}

func (b *Bot) deskHelp(lang prompts.Lang) Response {
	say := sayer(lang)
	return Response{Message: &Message{Lang: lang, Blocks: []Block{
		Text(Rich(say("desk.help-intro"))...), Code(say("desk.help")), Note(say("desk.help-note")),
	}}}
}

// deskRefused turns what stood in an editor's way into words.
func (b *Bot) deskRefused(err error, lang prompts.Lang) (Response, error) {
	say := sayer(lang)
	switch refused, isRefused := errors.AsType[*Refused](err); {
	case errors.Is(err, ErrNotFound):
		return say.message("desk.unknown"), nil
	case errors.Is(err, ErrSelfReview):
		return say.message("desk.self-review"), nil
	case errors.Is(err, ErrReadOnly):
		return say.message("desk.read-only"), nil
	case errors.Is(err, ErrExists):
		return say.message("desk.exists"), nil
	case isRefused:
		return Response{Message: &Message{Lang: lang, Blocks: []Block{
			Text(Span{Text: say("desk.refused")}), List(refusedLines(refused, lang)...),
		}}}, nil
	}
	return say.message("common.later"), err
}

// refusedLines are everything that is wrong, one line each.
func refusedLines(r *Refused, lang prompts.Lang) []string {
	var out []string
	var speechless []prompts.Lang // one line says all
	for _, p := range r.Problems {
		out = append(out, fieldName(p.Field, lang)+": "+p.In(lang))
		speechless = append(speechless, prompts.Lang(p.Field))
	}
	for _, f := range r.Findings {
		if line := findingLine(f, lang); !slices.Contains(speechless, f.Lang) && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

func findingLine(f prompts.Finding, lang prompts.Lang) string {
	field := f.Field
	if f.Lang != "" {
		field = string(f.Lang) + "." + field
	}
	return fieldName(field, lang) + ": " + f.Text.In(lang)
}

// ---- what there is

// showLibrary is the overview: how much there is, what waits, what is wrong, and what teams wish for.
func (b *Bot) showLibrary(ctx context.Context, f From) (Response, error) {
	say := sayer(f.Lang)
	if !b.MayEdit(f.User.Actor()) {
		return say.message("cmd.editors-only"), nil
	}
	cat, err := b.Catalogue(ctx)
	if err != nil {
		return say.message("common.later"), err
	}
	count := map[prompts.Status]int{}
	var waiting []Entry
	updates := 0
	for _, e := range cat.Entries {
		if e.Update != nil {
			updates++
		}
		if e.Prompt == nil {
			continue
		}
		count[e.Prompt.Status]++
		if e.Prompt.Status == prompts.Review {
			waiting = append(waiting, e)
		}
	}
	number := func(s ...prompts.Status) string {
		n := 0
		for _, one := range s {
			n += count[one]
		}
		return strconv.Itoa(n)
	}
	web, err := b.libraryLink(ctx, f)
	if err != nil {
		return say.message("common.later"), err
	}
	m := Message{Lang: f.Lang, Blocks: web}
	m.Blocks = append(m.Blocks, Text(Rich(say("desk.overview"), "active", number(prompts.Active), "draft", number(prompts.Draft),
		"review", number(prompts.Review), "retired", number(prompts.Retired, prompts.Resting))...))
	if cat.Files != nil {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("desk.files")}), List(cat.Files.Problems[:min(5, len(cat.Files.Problems))]...))
	}
	if updates > 0 {
		m.Blocks = append(m.Blocks, Text(Rich(say("desk.updates"), "count", strconv.Itoa(updates))...))
	}
	var thin []string
	for _, c := range cat.Coverage {
		if a, ok := cat.Library.Audience(c.Audience); ok && c.Short() {
			thin = append(thin, a.Name.In(f.Lang))
		}
	}
	if len(thin) > 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("desk.thin", "list", strings.Join(thin, ", "))}))
	}
	if len(waiting) > 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("desk.waiting")}))
		m.Blocks = append(m.Blocks, entriesList(waiting[:min(5, len(waiting))], f.Lang)...)
		if len(waiting) > 5 {
			m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: []Action{searchAction(say("desk.all-waiting"), say("desk.word-waiting"), f.Lang)}})
		}
	}
	proposals, err := b.proposals(ctx, f.Lang)
	if err != nil {
		return say.message("common.later"), err
	}
	m.Blocks = append(m.Blocks, proposals...)
	watch, err := b.watches(ctx, f.User.Actor())
	if err != nil {
		return say.message("common.later"), err
	}
	wish := Action{Do: "desk-act", Arg: deskWatch + " on", Label: say("desk.notify"), Typed: say("desk.notify-word")}
	if watch {
		wish = Action{Do: "desk-act", Arg: deskWatch + " off", Label: say("desk.notify-off"), Typed: say("desk.notify-off-word")}
	}
	m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: []Action{searchAction(say("desk.all"), "", f.Lang), wish}}, Note(say("desk.how")))
	return Response{Message: &m}, nil
}

func searchAction(label, words string, lang prompts.Lang) Action {
	return Action{Do: "desk", Arg: strings.TrimSpace(deskSearch + " " + words), Label: label,
		Typed: strings.TrimSpace(sayer(lang)("desk.search-word") + " " + words)}
}

// pageSize is how many entries stand in one message: few enough for every platform's buttons.
const pageSize = 8

// deskList shows what fits some words, a page at a time. A number at the end is the page.
func (b *Bot) deskList(ctx context.Context, lang prompts.Lang, words string) (Response, error) {
	say := sayer(lang)
	cat, err := b.Catalogue(ctx)
	if err != nil {
		return say.message("common.later"), err
	}
	asked := strings.Fields(strings.ToLower(words))
	page := 1
	if n := len(asked); n > 0 {
		if p, err := strconv.Atoi(asked[n-1]); err == nil && p > 0 {
			page, asked = p, asked[:n-1]
		}
	}
	found := slices.DeleteFunc(slices.Clone(cat.Entries), func(e Entry) bool {
		return slices.ContainsFunc(asked, func(w string) bool { return !e.fits(w) }) || len(asked) == 0 && e.Prompt == nil
	})
	if len(found) == 0 {
		return Response{Message: &Message{Lang: lang, Blocks: []Block{Text(Span{Text: say("desk.nothing-found")}), Note(say("desk.search-how"))}}}, nil
	}
	pages := (len(found) + pageSize - 1) / pageSize
	page = min(page, pages)
	here := found[(page-1)*pageSize : min(page*pageSize, len(found))]
	m := Message{Lang: lang, Blocks: []Block{Text(Rich(say("desk.found"), "count", strconv.Itoa(len(found)), "page", strconv.Itoa(page), "pages", strconv.Itoa(pages))...)}}
	m.Blocks = append(m.Blocks, entriesList(here, lang)...)
	var turn []Action
	if base := strings.Join(asked, " "); page > 1 || page < pages {
		if page > 1 {
			turn = append(turn, searchAction(say("desk.previous"), strings.TrimSpace(base+" "+strconv.Itoa(page-1)), lang))
		}
		if page < pages {
			turn = append(turn, searchAction(say("desk.next"), strings.TrimSpace(base+" "+strconv.Itoa(page+1)), lang))
		}
		m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: turn})
	}
	m.Blocks = append(m.Blocks, Note(say("desk.search-how")))
	return Response{Message: &m}, nil
}

// entriesList is a list with a button for each.
func entriesList(all []Entry, lang prompts.Lang) []Block {
	say := sayer(lang)
	var lines []string
	var actions []Action
	for _, e := range all {
		lines = append(lines, e.title(lang)+" · "+e.state(lang)+" · "+e.typedID())
		actions = append(actions, Action{Do: "desk", Arg: deskShow + " " + e.Key.String(), Label: e.title(lang), Typed: say("desk.show-word") + " " + e.typedID()})
	}
	return []Block{List(lines...), {Kind: BlockActions, Actions: actions}}
}

// typedID is how an entry is named in words: a prompt by its ID alone.
func (e Entry) typedID() string {
	if e.Key.Kind == EntryPrompt {
		return e.Key.ID
	}
	return e.Key.String()
}

// title is what people call an entry.
func (e Entry) title(lang prompts.Lang) string {
	name := ""
	switch {
	case e.Prompt != nil:
		name = e.Prompt.In(lang).Title
		for _, w := range e.Prompt.Words {
			if name == "" {
				name = w.Title
			}
		}
	case e.Tension != nil:
		name = e.Tension.Label.In(lang)
	case e.Value != nil:
		name = e.Value.Name.In(lang)
	case e.Audience != nil:
		name = e.Audience.Name.In(lang)
	}
	if name == "" {
		name = e.Key.ID
	}
	return name
}

// state is where an entry stands, in a word or two.
func (e Entry) state(lang prompts.Lang) string {
	say := sayer(lang)
	kind := ""
	switch e.Key.Kind {
	case EntryTension:
		kind = say("desk.kind-tension") + ", "
	case EntryValue:
		kind = say("desk.kind-value") + ", "
	case EntryAudience:
		kind = say("desk.kind-audience") + ", "
	}
	switch {
	case e.Retired:
		return kind + say("desk.state-retired")
	case e.Prompt == nil:
		return kind + say("desk.state-active")
	}
	switch e.Prompt.Status {
	case prompts.Draft:
		return say("desk.state-draft")
	case prompts.Review:
		return say("desk.state-review")
	case prompts.Resting:
		return say("desk.state-resting")
	case prompts.Retired:
		return say("desk.state-retired")
	}
	return say("desk.state-active")
}

// The words that narrow a search down, besides those that an entry holds.
var (
	stateWords = map[string]prompts.Status{
		"concept": prompts.Draft, "draft": prompts.Draft, "wachten": prompts.Review, "wacht": prompts.Review, "review": prompts.Review,
		"actief": prompts.Active, "active": prompts.Active, "rust": prompts.Resting, "resting": prompts.Resting, "gestopt": prompts.Retired, "retired": prompts.Retired,
	}
	kindWords = map[string]EntryKind{
		"vragen": EntryPrompt, "questions": EntryPrompt, "spanningen": EntryTension, "tensions": EntryTension,
		"waarden": EntryValue, "values": EntryValue, "doelgroepen": EntryAudience, "audiences": EntryAudience,
	}
	typeWords = map[string]prompts.Kind{
		"dilemma": prompts.Dilemma, "waarderend": prompts.Appreciative, "appreciative": prompts.Appreciative, "oefening": prompts.Practice,
		"practice": prompts.Practice, "waarde": prompts.ValuePrompt, "value": prompts.ValuePrompt, "terugblik": prompts.LookBack, "look-back": prompts.LookBack,
	}
)

// fits says whether a word of a search fits an entry.
func (e Entry) fits(word string) bool {
	if s, ok := stateWords[word]; ok {
		if e.Prompt == nil {
			return s == prompts.Retired && e.Retired || s == prompts.Active && !e.Retired
		}
		return e.Prompt.Status == s
	}
	if k, ok := kindWords[word]; ok {
		return e.Key.Kind == k
	}
	if k, ok := typeWords[word]; ok {
		return e.Prompt != nil && e.Prompt.Kind == k
	}
	switch word {
	case "eigen", "own":
		return e.Origin == OriginOwn
	case "praktijk", "team":
		return e.Prompt != nil && e.Prompt.Source == prompts.SourceTeam
	}
	return strings.Contains(e.words(), fold(word))
}

// words is everything of an entry that a search looks in.
func (e Entry) words() string {
	all := []string{e.Key.ID}
	texts := func(some ...prompts.Text) {
		for _, t := range some {
			for _, lang := range prompts.Langs() {
				all = append(all, t[lang])
			}
		}
	}
	switch {
	case e.Prompt != nil:
		for _, lang := range prompts.Langs() {
			w := e.Prompt.Words[lang]
			all = append(all, w.Title, w.Text, w.Question, w.PoleA, w.PoleB)
		}
		for _, t := range e.Prompt.Tensions {
			all = append(all, string(t))
		}
		for _, a := range e.Prompt.Audience {
			all = append(all, string(a))
		}
		all = append(all, e.Prompt.Themes...)
	case e.Tension != nil:
		texts(e.Tension.Label, e.Tension.A, e.Tension.B)
	case e.Value != nil:
		texts(e.Value.Name)
	case e.Audience != nil:
		texts(e.Audience.Name)
	}
	return fold(strings.Join(all, "\n"))
}

// ---- one entry

// mostFindings is how much of what the lint found stands below an entry.
const mostFindings = 8

// deskView shows an entry as it will look, where it stands, and what may be done with it. first is said above it.
func (b *Bot) deskView(ctx context.Context, f From, e Entry, cat Catalogue, first string) Response {
	say := sayer(f.Lang)
	m := Message{Lang: f.Lang}
	if first != "" {
		m.Blocks = append(m.Blocks, Text(Rich(first)...))
	}
	m.Blocks = append(m.Blocks, Text(Span{Text: e.title(f.Lang), Strong: true}, Span{Text: " · " + e.state(f.Lang) + " · " + e.typedID() + " · " + say("desk.version", "stamp", short(e.Stamp))}))
	if e.Prompt != nil {
		lang, shown := f.Lang, false
		for _, l := range append([]prompts.Lang{f.Lang}, prompts.Langs()...) {
			if _, ok := e.Prompt.Words[l]; ok && !shown {
				lang, shown = l, true
			}
		}
		for _, block := range b.Preview(*e.Prompt, lang).Blocks {
			if block.Kind != BlockActions && block.Kind != BlockNote { // what stands below every question
				m.Blocks = append(m.Blocks, block)
			}
		}
		m.Blocks = append(m.Blocks, List(b.facts(e, cat, f.Lang)...))
		if why, err := b.SentBack(ctx, e); err == nil && why != "" {
			m.Blocks = append(m.Blocks, Text(Span{Text: say("desk.sent-back"), Strong: true}), Text(Span{Text: why, Person: true}))
		}
		if e.Prompt.Source == prompts.SourceTeam && e.Prompt.Status != prompts.Active {
			m.Blocks = append(m.Blocks, Note(say("desk.from-team")))
		}
	} else {
		m.Blocks = append(m.Blocks, List(e.lines(f.Lang)...))
	}
	var lint []string
	for _, finding := range cat.Findings {
		if e.speechless(finding.Lang) {
			continue // that there are no words yet is said
		}
		if e.Prompt != nil && finding.Prompt == e.Prompt.ID && e.Prompt.Status != prompts.Active || e.Tension != nil && finding.Tension == e.Tension.ID {
			lint = append(lint, findingLine(finding, f.Lang))
		}
	}
	if len(lint) > 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("desk.findings", "count", strconv.Itoa(len(lint)))}), List(lint[:min(mostFindings, len(lint))]...))
	}
	if e.Update != nil {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("desk.update")}))
		m.Blocks = append(m.Blocks, changeBlocks(b.Diff(e.Update.Base, e.Update.New), f.Lang)...)
	}
	if e.ReadOnly {
		m.Blocks = append(m.Blocks, Note(say("desk.read-only")))
		return Response{Message: &m}
	}
	m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: e.actions(f.Lang)})
	return Response{Message: &m}
}

// speechless says whether a prompt has no words in a language.
func (e Entry) speechless(lang prompts.Lang) bool {
	if e.Prompt == nil || lang == "" {
		return false
	}
	_, ok := e.Prompt.Words[lang]
	return !ok
}

// facts are what is not in a prompt's words.
func (b *Bot) facts(e Entry, cat Catalogue, lang prompts.Lang) []string {
	say := sayer(lang)
	p := e.Prompt
	var tensions, audience []string
	for _, id := range p.Tensions {
		if t, ok := cat.Library.Tension(id); ok {
			tensions = append(tensions, t.Label.In(lang))
		} else {
			tensions = append(tensions, string(id))
		}
	}
	for _, id := range p.Audience {
		if a, ok := cat.Library.Audience(id); ok {
			audience = append(audience, a.Name.In(lang))
		} else if id == prompts.Everyone {
			audience = append(audience, say("desk.everyone"))
		}
	}
	none := say("desk.none")
	list := func(all []string) string {
		if len(all) == 0 {
			return none
		}
		return strings.Join(all, ", ")
	}
	var missing []string
	for _, l := range prompts.Langs() {
		if _, ok := p.Words[l]; !ok {
			missing = append(missing, langName(l))
		}
	}
	out := []string{
		kindName(p.Kind, lang) + ", " + say("desk.revision", "n", strconv.Itoa(p.Revision)),
		say("desk.field-tensions") + ": " + list(tensions), say("desk.field-audience") + ": " + list(audience),
		say("desk.field-intensity") + ": " + strconv.Itoa(p.Intensity),
	}
	if len(missing) > 0 {
		out = append(out, say("desk.no-words", "list", strings.Join(missing, ", ")))
	}
	if p.NotBefore != "" {
		if day, err := time.Parse(time.DateOnly, p.NotBefore); err == nil {
			out = append(out, say("desk.not-before", "date", locale.Day(lang, day)))
		}
	}
	if e.Shown.Rounds > 0 {
		out = append(out, say("desk.shown", "rounds", strconv.Itoa(e.Shown.Rounds), "missed", strconv.Itoa(e.Shown.Missed)))
	}
	if e.InForce != nil {
		out = append(out, say("desk.in-force", "n", strconv.Itoa(e.InForce.Revision)))
	}
	return out
}

func langName(lang prompts.Lang) string {
	for _, o := range langOptions {
		if o.Value == string(lang) {
			return o.Label
		}
	}
	return string(lang)
}

func kindName(k prompts.Kind, lang prompts.Lang) string {
	say := sayer(lang)
	switch k {
	case prompts.Appreciative:
		return say("desk.type-appreciative")
	case prompts.Practice:
		return say("desk.type-practice")
	case prompts.ValuePrompt:
		return say("desk.type-value")
	case prompts.LookBack:
		return say("desk.type-look-back")
	}
	return say("desk.type-dilemma")
}

// lines is what a tension, value or audience says, in both languages.
func (e Entry) lines(lang prompts.Lang) []string {
	var out []string
	for _, l := range prompts.Langs() {
		for _, f := range wordFields(e, l, lang) {
			if len(f.Value) > 0 {
				out = append(out, langName(l)+", "+f.Label+": "+f.Value[0])
			}
		}
	}
	return out
}

// actions are what may be done with an entry, by where it stands.
func (e Entry) actions(lang prompts.Lang) []Action {
	say := sayer(lang)
	var out []Action
	act := func(do, label, word string, main bool) {
		out = append(out, Action{Do: "desk-act", Arg: do + " " + e.Key.String() + " " + e.Stamp, Label: label, Main: main,
			Typed: word + " " + e.typedID() + " " + short(e.Stamp)})
	}
	form := func(what, label, typed string) {
		out = append(out, Action{Do: "desk-form", Arg: what + " " + e.Key.String() + " " + e.Stamp, Label: label, Typed: typed})
	}
	if e.Update != nil {
		act(deskMine, say("desk.mine"), say("desk.mine-word"), false)
		act(deskNew, say("desk.new"), say("desk.new-word"), false)
		act(deskMerged, say("desk.merged"), say("desk.merged-word"), false)
	}
	retired := e.Retired || e.Prompt != nil && e.Prompt.Status == prompts.Retired
	if retired {
		act(deskWake, say("desk.wake"), say("desk.wake-word"), true)
		return out
	}
	if e.Prompt != nil {
		switch e.Prompt.Status {
		case prompts.Draft:
			act(deskSubmit, say("desk.submit"), say("desk.submit-word"), true)
		case prompts.Review:
			act(deskActivate, say("desk.activate"), say("desk.activate-word"), true)
			form(formReturn, say("desk.return"), say("desk.return-word")+" "+e.typedID()+" "+short(e.Stamp))
		}
	}
	for _, l := range prompts.Langs() {
		form(formWords+":"+string(l), say("desk.edit")+": "+langName(l), say("desk.edit-word")+" "+e.typedID()+" "+string(l))
	}
	if e.Prompt != nil {
		form(formFacts, say("desk.facts"), say("desk.edit-word")+" "+e.typedID())
	}
	act(deskRetire, say("desk.retire"), say("desk.retire-word"), false)
	return out
}

// changeBlocks shows what differs between two versions.
func changeBlocks(all []FieldChange, lang prompts.Lang) []Block {
	say := sayer(lang)
	var lines []string
	for _, c := range all {
		before, after := c.Before, c.After
		if before == "" {
			before = say("desk.none")
		}
		if after == "" {
			after = say("desk.none")
		}
		lines = append(lines, say("desk.changed-line", "field", fieldName(c.Field, lang), "before", before, "after", after))
	}
	if len(lines) == 0 {
		return nil
	}
	return []Block{List(lines[:min(12, len(lines))]...)}
}

// ---- acts

// deskPressed handles a button of the desk; whoever presses must be an editor now.
func (b *Bot) deskPressed(ctx context.Context, e ActionPressed) (Response, error) {
	say := sayer(e.Lang)
	if !b.MayEdit(e.User.Actor()) {
		return say.message("cmd.editors-only"), nil
	}
	act, rest, _ := strings.Cut(e.Action.Arg, " ")
	switch act {
	case deskSearch:
		return b.deskList(ctx, e.Lang, rest)
	case deskWatch:
		return b.deskNotify(ctx, e.From, rest == "on")
	case deskWord:
		return b.deskWordPressed(ctx, e, rest)
	}
	key, stamp, _ := strings.Cut(rest, " ")
	entry, cat, err := b.deskEntry(ctx, key)
	if err != nil {
		return b.deskRefused(err, e.Lang)
	}
	switch e.Action.Do {
	case "desk":
		return b.deskView(ctx, e.From, entry, cat, ""), nil
	case "desk-form":
		what, lang, _ := strings.Cut(act, ":")
		if what == formReturn {
			return Response{Form: b.returnForm(e.From, entry)}, nil
		}
		return b.deskForm(e.From, entry, cat, prompts.Lang(lang))
	}
	return b.deskAct(ctx, e.From, entry.Key, act, stamp, "")
}

// deskAct does one thing with the version of an entry that its editor saw.
func (b *Bot) deskAct(ctx context.Context, f From, key EntryKey, act, stamp, why string) (Response, error) {
	say := sayer(f.Lang)
	by := f.User.Actor()
	id := prompts.ID(key.ID)
	var entry Entry
	var err error
	var done string
	switch act {
	case deskSubmit:
		entry, err = b.submitPrompt(ctx, by, id, stamp, f.At)
		done = say("desk.submitted")
	case deskActivate:
		entry, err = b.ActivatePrompt(ctx, by, id, stamp)
		done = say("desk.activated")
	case deskReturn:
		entry, err = b.ReturnPrompt(ctx, by, id, stamp, why)
		done = say("desk.returned")
	case deskRetire:
		entry, err = b.RetireEntry(ctx, by, key, stamp)
		done = say("desk.retired")
	case deskWake:
		entry, err = b.WakeEntry(ctx, by, key, stamp)
		done = say("desk.woken")
	case deskMine, deskNew, deskMerged:
		take := map[string]string{deskMine: TakeMine, deskNew: TakeNew, deskMerged: TakeMerged}[act]
		entry, err = b.SettleUpdate(ctx, by, key, take, stamp)
		done = say("desk.settled")
	default:
		return say.message("reply.pick-again"), nil
	}
	if errors.Is(err, ErrConflict) {
		entry, cat, err := b.deskEntry(ctx, key.String())
		if err != nil {
			return b.deskRefused(err, f.Lang)
		}
		return b.deskStale(ctx, f, entry, cat, act), nil
	}
	if err != nil {
		return b.deskRefused(err, f.Lang)
	}
	return doneAt(entry, done, f.Lang), nil
}

func doneAt(e Entry, done string, lang prompts.Lang) Response {
	say := sayer(lang)
	return Response{Kept: true, Message: &Message{Lang: lang, Blocks: []Block{
		Text(Span{Text: e.title(lang), Strong: true}, Span{Text: ". " + done}),
		{Kind: BlockActions, Actions: []Action{{Do: "desk", Arg: deskShow + " " + e.Key.String(), Label: say("desk.show"), Typed: say("desk.show-word") + " " + e.typedID()}}},
	}}}
}

// deskStale says that an act came for an older version. If it is done already, by this act or another, that is said.
func (b *Bot) deskStale(ctx context.Context, f From, e Entry, cat Catalogue, act string) Response {
	say := sayer(f.Lang)
	if already := e.already(act); already != "" {
		return doneAt(e, sayer(f.Lang)(already), f.Lang)
	}
	return b.deskView(ctx, f, e, cat, say("desk.stale"))
}

// already is the text for an act that an entry shows the effect of.
func (e Entry) already(act string) string {
	status := prompts.Status("")
	if e.Prompt != nil {
		status = e.Prompt.Status
	}
	switch {
	case act == deskSubmit && status == prompts.Review:
		return "desk.submitted"
	case act == deskActivate && status == prompts.Active:
		return "desk.activated"
	case act == deskReturn && status == prompts.Draft:
		return "desk.returned"
	case act == deskRetire && (e.Retired || status == prompts.Retired):
		return "desk.retired"
	case act == deskWake && !e.Retired && (e.Prompt == nil || status == prompts.Draft):
		return "desk.woken"
	case (act == deskMine || act == deskNew || act == deskMerged) && e.Update == nil:
		return "desk.settled"
	}
	return ""
}
