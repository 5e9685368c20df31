package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// whyTexts are the catalogue's words for the reasons that prompts.Pick gives.
var whyTexts = map[string]string{
	"onboarding":   "why.onboarding",
	"look-back":    "why.look-back",
	"value":        "why.value",
	"light":        "why.light",
	"audience":     "why.audience",
	"everyone":     "why.everyone",
	"any-work":     "why.any-work",
	"other-work":   "why.other-work",
	"tension-new":  "why.tension-new",
	"tension-rest": "why.tension-rest",
	"recurring":    "why.recurring",
	"from-team":    "why.from-team",
	"never-asked":  "why.never-asked",
	"asked-before": "why.asked-before",
	"relaxed":      "why.relaxed",
}

// Why says in one sentence why a question was chosen (PRACTICE 9). A reason about a tension or audience that is no
// longer in the library is left out; without any reason there is nothing to say.
func Why(lang prompts.Lang, reasons []prompts.Reason, lib *prompts.Library) string {
	say := sayer(lang)
	var parts []string
	for _, r := range reasons {
		key, known := whyTexts[r.Key]
		tension, inLib := lib.Tension(r.Tension)
		audience, atWork := lib.Audience(r.Audience)
		if !known || r.Tension != "" && !inLib || r.Audience != "" && !atWork {
			continue
		}
		if r.Key == "tension-rest" && r.Rounds == 1 {
			key = "why.tension-rest-one"
		}
		parts = append(parts, say(key, "audience", audience.Name.In(lang), "tension", inSentence(tension.Label.In(lang)),
			"rounds", locale.Number(lang, r.Rounds)))
	}
	if len(parts) == 0 {
		return ""
	}
	return say("why.because", "reasons", strings.Join(parts, "; "))
}

// inSentence writes a label as it stands inside a sentence: its capital goes, unless the word is all capitals.
func inSentence(label string) string {
	first, n := utf8.DecodeRuneInString(label)
	if n == 0 {
		return label
	}
	if second, _ := utf8.DecodeRuneInString(label[n:]); unicode.IsUpper(second) {
		return label
	}
	return string(unicode.ToLower(first)) + label[n:]
}
