package prompts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Sense is a hash of what people choose when they tag: label, poles and what each protects, in every language. Counts
// belong to a sense.
func (t Tension) Sense() string {
	var parts []string
	for _, lang := range Langs() {
		parts = append(parts, t.Label[lang], t.A[lang], t.B[lang], t.ProtectsA[lang], t.ProtectsB[lang])
	}
	raw, err := json.Marshal(parts)
	if err != nil { // a list of text always can be written
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}
