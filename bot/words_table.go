package bot

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
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

// wordUse is what is known of a stem while the texts are read.
type wordUse struct {
	replies, shared  int
	inside, capitals int // uses within a sentence, and those of them with a capital
	barred           bool
	forms            map[string]formUse
}

type formUse struct{ replies, shared int }

// makeWordTable reads the replies of a round. What a text marks as personal or too heavy bars the word in all of them.
func makeWordTable(replies []writing, rules tableRules) WordTable {
	barred := map[string]bool{} // as written, in small letters without accents
	for _, text := range rules.without {
		for _, w := range words(text) {
			barred[w.fold] = true
		}
	}
	stems := map[string]bool{} // of barred words, whatever language a text passes for
	for w := range barred {
		for _, lang := range prompts.Langs() {
			stems[wordKey(lang, stemOf(lang, w))] = true
		}
	}
	uses := map[string]*wordUse{}
	pairs := map[string][2]string{} // the parts of a pair
	for _, reply := range replies {
		lang, tokens := tableTokens(reply.text, rules.home)
		marks := marksIn(reply.text, rules)
		here := map[string]map[string]bool{} // key to its forms in this reply
		note := func(key, form string) *wordUse {
			if uses[key] == nil {
				uses[key] = &wordUse{forms: map[string]formUse{}}
			}
			if here[key] == nil {
				here[key] = map[string]bool{}
			}
			here[key][form] = true
			return uses[key]
		}
		for i, w := range tokens {
			key := wordKey(lang, w.stem)
			u := note(key, w.form)
			u.barred = u.barred || stems[key] || barred[w.fold] || !countable(w.fold) ||
				slices.ContainsFunc(marks, func(h Hint) bool { return w.at < h.End && h.At < w.end })
			if w.inside {
				u.inside++
				if w.capital {
					u.capitals++
				}
			}
			if i > 0 && tokens[i-1].sentence == w.sentence && w.place-tokens[i-1].place <= pairApart {
				pair := key[:len(lang)+1] + tokens[i-1].stem + " " + w.stem
				pairs[pair] = [2]string{wordKey(lang, tokens[i-1].stem), key}
				note(pair, tokens[i-1].form+" "+w.form)
			}
		}
		for key, forms := range here {
			u := uses[key]
			u.replies++
			if reply.shared {
				u.shared++
			}
			for form := range forms {
				f := u.forms[form]
				f.replies++
				if reply.shared {
					f.shared++
				}
				u.forms[form] = f
			}
		}
	}
	out := WordTable{}
	for key, u := range uses {
		parts, isPair := pairs[key]
		if u.replies < minCell || isPair && (uses[parts[0]].out() || uses[parts[1]].out()) || u.out() {
			continue
		}
		out = append(out, TableWord{Key: key, Form: u.form(), Replies: u.replies, Shared: u.shared})
	}
	return out.fit()
}

// pairApart is how many tokens the second word of a pair may come after the first.
const pairApart = 3

// out says that a stem must not be counted: it is barred, or seems to be a name.
func (u *wordUse) out() bool { return u.barred || u.inside > 0 && 2*u.capitals >= u.inside }

// form is how a word is written most often, by those whose text may be quoted first: it may be shown. The shorter of two
// equals, and then the first in the alphabet.
func (u *wordUse) form() string {
	return slices.MinFunc(slices.Collect(maps.Keys(u.forms)), func(a, b string) int {
		fa, fb := u.forms[a], u.forms[b]
		return cmp.Or(fb.shared-fa.shared, fb.replies-fa.replies, len(a)-len(b), cmp.Compare(a, b))
	})
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

func wordKey(lang prompts.Lang, stem string) string { return string(lang) + ":" + stem }

// countable says whether a word is long enough and has no digits.
func countable(fold string) bool {
	return utf8.RuneCountInString(strings.Trim(fold, "'")) >= shortestWord && !strings.ContainsFunc(fold, unicode.IsDigit)
}

// marksIn are the places in a text whose words must not be counted: what looks like personal data, and what stands on the
// list of heavy disclosures.
func marksIn(text string, rules tableRules) []Hint {
	marks := FindHints(text, rules.hints)
	s := spotterOf(text)
	for _, list := range rules.heavy {
		for _, phrase := range list.Phrases {
			for span := range s.places(phrase) {
				marks = append(marks, s.scanned.places([]Hint{{At: s.words[span[0]].at, End: s.words[span[1]-1].end}})...)
			}
		}
	}
	return marks
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
