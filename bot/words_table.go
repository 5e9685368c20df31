package bot

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// The bounds of a word table (TENSIONS 7.2, 8).
const (
	maxWordTable = 4096 // bytes it may take in a record
	shortestWord = 3    // letters
)

// WordTable is what a round's replies have in common: the words, and pairs of words, that stand in at least three of them,
// by key. Rarer words leave nothing. It is made at closing, while the texts are open in memory, and never changes. It is
// stored as one line a word, so that a round with many fits.
type WordTable []TableWord

// TableWord is one word, or two that stand together.
type TableWord struct {
	Key     string // language, colon, stem; two stems with a space between them
	Form    string // how it is written most often
	Replies int    // that hold it
	Shared  int    // of these, the ones whose text may be quoted
}

// MarshalText implements encoding.TextMarshaler.
func (t WordTable) MarshalText() ([]byte, error) {
	var out []byte
	for _, w := range t {
		out = append(out, w.line()...)
	}
	return out, nil
}

// line writes a word: its signs are letters, apostrophes, one colon and spaces.
func (w TableWord) line() string {
	return w.Key + "|" + w.Form + "|" + strconv.Itoa(w.Replies) + "|" + strconv.Itoa(w.Shared) + ";"
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *WordTable) UnmarshalText(raw []byte) error {
	*t = WordTable{}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), ";"), ";") {
		if line == "" {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			return errors.New("a word table is damaged")
		}
		w := TableWord{Key: cells[0], Form: cells[1]}
		var err, serr error
		w.Replies, err = strconv.Atoi(cells[2])
		w.Shared, serr = strconv.Atoi(cells[3])
		if err = cmp.Or(err, serr); err != nil {
			return errors.New("a word table is damaged")
		}
		*t = append(*t, w)
	}
	return nil
}

// IsZero says that no table was made, for encoding/json: an empty one is a table too.
func (t WordTable) IsZero() bool { return t == nil }

// find returns the word with a key.
func (t WordTable) find(key string) (TableWord, bool) {
	i, ok := slices.BinarySearchFunc(t, key, func(w TableWord, key string) int { return cmp.Compare(w.Key, key) })
	if !ok {
		return TableWord{}, false
	}
	return t[i], true
}

// writing is a reply's text while it is open in memory.
type writing struct {
	text   string
	shared bool
}

// tableRules are what never stands in a round's word table, besides what the words themselves tell.
type tableRules struct {
	home    prompts.Lang // of the team: the language of a text that shows none
	without []string     // texts whose words do not count: the round's prompt, the names of tensions
	hints   HintOptions
	heavy   []locale.HeavyWords
}

// wordUse is what is known of a word, or of a pair of them, while the texts are read.
type wordUse struct {
	replies, shared  int
	last             int // the reply that was counted last, from 1
	inside, capitals int // uses within a sentence, and those of them with a capital
	barred           bool
	forms            []formUse
}

type formUse struct {
	form            string
	replies, shared int
	last            int
}

// wordID is a word while the texts are read.
type wordID struct {
	lang prompts.Lang
	stem string
}

func (w wordID) key() string { return string(w.lang) + ":" + w.stem }

// see counts a use in a reply, by its number from 1.
func (u *wordUse) see(form string, reply int, shared bool) {
	quoted := 0
	if shared {
		quoted = 1
	}
	if u.last != reply {
		u.last = reply
		u.replies++
		u.shared += quoted
	}
	i := slices.IndexFunc(u.forms, func(f formUse) bool { return f.form == form })
	if i < 0 {
		i = len(u.forms)
		u.forms = append(u.forms, formUse{form: form})
	}
	if f := &u.forms[i]; f.last != reply {
		f.last = reply
		f.replies++
		f.shared += quoted
	}
}

// wordReader reads texts. Several may read at once, each with stems of its own.
type wordReader struct {
	rules tableRules
	heavy map[string][]locale.Phrase // by head
	stems map[wordID]string          // by form
}

// stem is stem, once for each word.
func (x *wordReader) stem(form string, lang prompts.Lang) string {
	s, ok := x.stems[wordID{lang, form}]
	if !ok {
		s = stem(form, lang)
		x.stems[wordID{lang, form}] = s
	}
	return s
}

// read gives the words of a text, and which of them bar themselves.
func (x *wordReader) read(text string) []tableToken {
	tokens := x.tokens(text)
	marks := x.marks(text)
	for i, w := range tokens {
		tokens[i].barred = !countable(w.fold) || !countable(w.id.stem) ||
			slices.ContainsFunc(marks, func(h Hint) bool { return w.at.From < h.End && h.At < w.at.To })
	}
	return tokens
}

// readAll reads the texts of a round, on as many processors as there are: a team waits for its round to close.
func readAll(replies []writing, rules tableRules) [][]tableToken {
	out, heavy := make([][]tableToken, len(replies)), byHead(rules.heavy)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(replies)) {
		wg.Go(func() {
			x := wordReader{rules, heavy, map[wordID]string{}}
			for i := next.Add(1) - 1; i < int64(len(replies)); i = next.Add(1) - 1 {
				out[i] = x.read(replies[i].text)
			}
		})
	}
	wg.Wait()
	return out
}

// makeWordTable reads the replies of a round. What a text marks as personal or too heavy bars the word in all of them.
func makeWordTable(replies []writing, rules tableRules) WordTable {
	barred := map[wordID]bool{}                                              // whatever language a text passes for
	for _, text := range slices.Concat(rules.without, rules.hints.Members) { // a first name may stand there in small letters
		for _, w := range tokenise(text) {
			for _, lang := range prompts.Langs() {
				barred[wordID{lang, stem(w.form, lang)}] = true
			}
		}
	}
	uses := map[wordID]*wordUse{}
	read := readAll(replies, rules)
	for i, tokens := range read {
		for k, w := range tokens {
			u := uses[w.id]
			if u == nil {
				u = &wordUse{barred: barred[w.id]}
				uses[w.id] = u
			}
			tokens[k].use = u
			u.see(w.form, i+1, replies[i].shared)
			u.barred = u.barred || w.barred
			if w.inside {
				u.inside++
				if w.capital {
					u.capitals++
				}
			}
		}
	}
	out := WordTable{}
	for id, u := range uses {
		if u.counts() {
			out = append(out, TableWord{Key: id.key(), Form: u.form(), Replies: u.replies, Shared: u.shared})
		}
	}
	pairs := map[[2]wordID]*wordUse{} // only of words that are in the table themselves
	for i, tokens := range read {
		for k := 1; k < len(tokens); k++ {
			a, b := tokens[k-1], tokens[k]
			if a.sentence != b.sentence || b.place-a.place > pairApart || !a.use.counts() || !b.use.counts() {
				continue
			}
			u := pairs[[2]wordID{a.id, b.id}]
			if u == nil {
				u = &wordUse{}
				pairs[[2]wordID{a.id, b.id}] = u
			}
			u.see(a.form+" "+b.form, i+1, replies[i].shared)
		}
	}
	for ids, u := range pairs {
		if u.counts() {
			out = append(out, TableWord{Key: ids[0].key() + " " + ids[1].stem, Form: u.form(), Replies: u.replies, Shared: u.shared})
		}
	}
	return out.fit()
}

// pairApart is how many tokens the second word of a pair may come after the first.
const pairApart = 3

// counts says that a word may be in the table: three replies have it, nothing bars it, and it does not seem to be a name.
func (u *wordUse) counts() bool {
	return u.replies >= minCell && !u.barred && (u.inside == 0 || 2*u.capitals < u.inside)
}

// form is how a word is written most often, by those whose text may be quoted first: it may be shown. The shorter of two
// equals, and then the first in the alphabet.
func (u *wordUse) form() string {
	return slices.MinFunc(u.forms, func(a, b formUse) int {
		return cmp.Or(b.shared-a.shared, b.replies-a.replies, len(a.form)-len(b.form), cmp.Compare(a.form, b.form))
	}).form
}

// fit sorts a table by key. One that is too large asks for more replies a word, so that it stays clear what is in it.
func (t WordTable) fit() WordTable {
	slices.SortFunc(t, func(a, b TableWord) int { return cmp.Compare(a.Key, b.Key) })
	for least := minCell; ; least++ {
		t = slices.DeleteFunc(t, func(w TableWord) bool { return w.Replies < least })
		size := 2
		for _, w := range t {
			size += len(w.line())
		}
		if size <= maxWordTable {
			return t
		}
	}
}

// countable says whether a word is long enough and has no digits.
func countable(fold string) bool {
	return utf8.RuneCountInString(strings.Trim(fold, "'")) >= shortestWord && !strings.ContainsFunc(fold, unicode.IsDigit)
}

// marks are the places in a text whose words must not be counted: what looks like personal data, and what stands on the
// list of heavy disclosures.
func (x *wordReader) marks(text string) []Hint {
	s := scan(text)
	marks := s.hints(x.rules.hints)
	if len(x.heavy) == 0 {
		return marks
	}
	s.unite()
	spot := spotter{scanned: s, ends: s.sentences()}
	for i, w := range s.words {
		for _, phrase := range x.heavy[head(w.fold)] {
			if !slices.ContainsFunc(phrase[0], func(first string) bool { return isWord(w.fold, first) }) {
				continue
			}
			if end := spot.follows(phrase[1:], i+1, spot.ends[i]); end > 0 {
				marks = append(marks, s.places([]Hint{{At: w.at, End: s.words[end-1].end}})...)
			}
		}
	}
	return marks
}

// byHead sorts phrases by the letters that their first words begin with.
func byHead(lists []locale.HeavyWords) map[string][]locale.Phrase {
	out := map[string][]locale.Phrase{}
	for _, list := range lists {
		for _, phrase := range list.Phrases {
			var heads []string
			for _, first := range phrase[0] {
				heads = append(heads, head(strings.TrimSuffix(fold(first), "*")))
			}
			slices.Sort(heads)
			for _, h := range slices.Compact(heads) {
				out[h] = append(out[h], phrase)
			}
		}
	}
	return out
}

// wordTable makes a closing round's table, or none for a round without content. A platform that gives no names delays
// nothing.
func (b *Bot) wordTable(ctx context.Context, r Round, t *Tally, slips []*slip) (WordTable, error) {
	if r.Kind != RoundQuestion || t.Respondents < 5 || !telling(t, r.MinReplies) {
		return nil, nil
	}
	lib, err := b.library(ctx)
	if err != nil {
		return nil, err
	}
	rules := tableRules{home: r.Lang, heavy: b.o.Heavy, hints: HintOptions{
		Cases: b.o.CaseNumbers, Members: b.membersOf(ctx, r.Team), Name: locale.Text(r.Lang, "hint.mark-name"), Other: locale.Text(r.Lang, "hint.mark-other"),
	}}
	for _, lang := range prompts.Langs() {
		w := r.Prompt.In(lang)
		rules.without = append(append(rules.without, w.Title, w.Text, w.Question, w.PoleA, w.PoleB, w.ProtectsA, w.ProtectsB), w.Followups...)
		rules.without = append(rules.without, locale.Text(lang, "hint.mark-name"), locale.Text(lang, "hint.mark-other"))
		for _, tension := range lib.Tensions {
			rules.without = append(rules.without, tension.Label.In(lang), tension.Short.In(lang))
		}
		for _, tension := range r.Offers {
			rules.without = append(rules.without, tension.Label.In(lang))
		}
	}
	var replies []writing
	for _, s := range slips {
		replies = append(replies, writing{s.text(), s.shared()})
	}
	return makeWordTable(replies, rules), nil
}

// membersOf asks a platform for the names in a channel.
func (b *Bot) membersOf(ctx context.Context, team TeamID) []string {
	roster, ok := b.chatOf(team).(Roster)
	if !ok || b.out.closedFor(platformOf(team)) > 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	names, err := roster.Names(ctx, team)
	if err != nil || len(names) > maxNames {
		return nil
	}
	return names
}
