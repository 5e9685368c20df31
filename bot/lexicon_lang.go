package bot

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/weerklank/weerklank/prompts"
)

// Function words tie a sentence together and say nothing about what it is about. They tell the languages apart.
const (
	dutchFunctionWords = `de het een deze dit die dat der den des ten ter er daar hier waar 't 'n n
ik je jij jou jouw u uw hij hem zijn zij ze haar hen hun wij we ons onze jullie mij me mijn m'n zo'n z'n zichzelf zich elkaar men iemand iets niets niemand
en of maar want dus als dan toen terwijl omdat doordat zodat hoewel tenzij indien zodra totdat voordat nadat
in op aan bij van voor met zonder door over onder naar tot uit om te tegen tussen achter na sinds per via binnen langs rond tijdens volgens vanuit vanaf
niet geen wel ook nog al alleen maar even toch zo zelf heel zeer erg meer meest minder minst te veel weinig alle alles elk elke ieder iedere sommige beide ander andere
ben bent is was waren wees geweest heb hebt heeft had hadden gehad word wordt worden werd werden geworden zal zult zullen zou zouden kan kun kunt kunnen kon konden
mag mogen mocht mochten moet moeten moest moesten wil wilt willen wilde wilden ga gaat gaan ging gingen gegaan doe doet doen deed deden
sta staat staan stond stonden gestaan zit zitten zat zaten gezeten lig ligt liggen lag lagen gelegen kom komt komen kwam kwamen gekomen
laat laten liet lieten gelaten zeg zegt zeggen zei zeiden maak maakt maken maakte maakten gemaakt neem neemt nemen nam namen genomen
krijg krijgt krijgen kreeg kregen gekregen geef geeft geven gaf gaven gegeven zie ziet zien zag zagen gezien weet weten wist wisten geweten
vind vindt vinden vond vonden gevonden denk denkt denken dacht dachten gedacht blijf blijft blijven bleef bleven gebleven
zet zetten zette gezet houd houdt houden hield hielden gehouden kijk kijkt kijken keek keken gekeken
twee drie vier vijf zes zeven acht negen tien elf twaalf half halve tweede derde keer
wat wie welke welk hoe wanneer waarom nu weer steeds vaak soms altijd nooit eens ooit daarna eerst juist zoals waarbij waarin waarop daarom ja nee`
	englishFunctionWords = `the a an this that these those there here
i you he him his she her hers it its we us our ours they them their theirs me my mine your yours myself himself herself itself themselves someone something nothing
and or but so if then when while because although unless until before after since than as though whether
in on at by of for from with without through over under to into onto about against between behind upon within during off out up down
not no nor only just also too very more most less least much many few some any all each every both other another such own same
am is are was were be been being have has had having do does did doing done will would shall should can could may might must
get gets got go goes went gone come comes came make makes made take takes taken took give gives gave given see sees saw seen know knows knew known
think thinks thought let lets put puts keep keeps kept say says said look looks looked want wants wanted
one two three four five six seven eight nine ten eleven twelve half second third
what who whom whose which how where why now again still ever yet
i'm i've i'd i'll it's don't didn't doesn't isn't wasn't can't couldn't won't wouldn't that's there's they're we're you're yes`
)

// tie says in which languages a word is a function word.
type tie byte

const (
	tieDutch tie = 1 << iota
	tieEnglish
)

var functionWords = sync.OnceValue(func() map[string]tie {
	all := map[string]tie{}
	for list, lang := range map[string]tie{dutchFunctionWords: tieDutch, englishFunctionWords: tieEnglish} {
		for word := range strings.FieldsSeq(list) {
			all[word] |= lang
		}
	}
	return all
})

// in says whether it is one in a language.
func (t tie) in(lang prompts.Lang) bool {
	if lang == prompts.English {
		return t&tieEnglish != 0
	}
	return t&tieDutch != 0
}

func isFunctionWord(form string, lang prompts.Lang) bool { return functionWords()[form].in(lang) }

// vote is how much a word says for each language.
func vote(form string, t tie) (nl, en float64) {
	switch t {
	case tieDutch:
		return 1, 0
	case tieEnglish:
		return 0, 1
	case tieDutch | tieEnglish:
		return 0, 0
	}
	if looksDutch(form) {
		nl = 0.5
	}
	if looksEnglish(form) {
		en = 0.4
	}
	return nl, en
}

// TextLang says whether a text is Dutch or English; the team's language where nothing tells.
func TextLang(text string, team prompts.Lang) prompts.Lang { return languageOf(tokenise(text), team) }

func languageOf(words []token, team prompts.Lang) prompts.Lang {
	ties := functionWords()
	var nl, en float64
	for _, w := range words {
		dutch, english := vote(w.form, ties[w.form])
		nl, en = nl+dutch, en+english
	}
	return elected(nl, en, team)
}

// elected is the language with the most votes; the team's where nothing tells.
func elected(nl, en float64, team prompts.Lang) prompts.Lang {
	switch {
	case nl > en:
		return prompts.Dutch
	case en > nl:
		return prompts.English
	case team == prompts.English:
		return prompts.English
	}
	return prompts.Dutch
}

func looksDutch(w string) bool {
	return strings.Contains(w, "ij") || strings.Contains(w, "aa") || strings.Contains(w, "uu") || strings.Contains(w, "sch") ||
		len(w) > 4 && strings.HasPrefix(w, "ge") && strings.HasSuffix(w, "d")
}

func looksEnglish(w string) bool {
	n := utf8.RuneCountInString(w)
	return strings.Contains(w, "th") || strings.Contains(w, "ough") ||
		n > 5 && strings.HasSuffix(w, "ing") && !strings.HasPrefix(w, "ge") || n > 4 && strings.HasSuffix(w, "ed")
}
