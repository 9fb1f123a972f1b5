package text

import "strings"

// Countries are the names of countries and their usual short forms, folded.
var Countries = func() map[string]bool {
	set := map[string]bool{}
	for name := range strings.SplitSeq(countryNames, ",") {
		set[Phrase(name)] = true
	}
	return set
}()

const countryNames = `Afghanistan,Albania,
Algeria,Andorra,Angola,Antigua and Barbuda,Argentina,Armenia,Australia,Austria,Azerbaijan,
Bahamas,Bahrain,Bangladesh,Barbados,Belarus,Belgium,Belize,Benin,Bhutan,Bolivia,Bosnia and Herzegovina,
Botswana,Brazil,Brunei,Bulgaria,Burkina Faso,Burundi,Cambodia,Cameroon,Canada,Cape Verde,
Central African Republic,Chad,Chile,China,Colombia,Comoros,Costa Rica,Croatia,Cuba,Cyprus,Czech Republic,
Czechia,Denmark,Djibouti,Dominica,Dominican Republic,Ecuador,Egypt,El Salvador,England,Equatorial Guinea,
Eritrea,Estonia,Eswatini,Ethiopia,EU,European Union,Fiji,Finland,France,Gabon,Gambia,Germany,Ghana,
Great Britain,Greece,Grenada,Guatemala,Guinea,Guyana,Haiti,Honduras,Hong Kong,Hungary,Iceland,India,Indonesia,
Iran,Iraq,Ireland,Israel,Italy,Ivory Coast,Jamaica,Japan,Kazakhstan,Kenya,Kiribati,Kosovo,Kuwait,Kyrgyzstan,
Laos,Latvia,Lebanon,Lesotho,Liberia,Libya,Liechtenstein,Lithuania,Luxembourg,Madagascar,Malawi,Malaysia,
Maldives,Mali,Malta,Mauritania,Mauritius,Mexico,Moldova,Monaco,Mongolia,Montenegro,Morocco,Mozambique,Myanmar,
Namibia,Nauru,Nepal,Netherlands,New Zealand,Nicaragua,Nigeria,North Korea,North Macedonia,Northern Ireland,
Norway,Oman,Pakistan,Palau,Palestine,Panama,Papua New Guinea,Paraguay,Peru,Philippines,Poland,Portugal,
Puerto Rico,Qatar,Romania,Russia,Rwanda,Saint Lucia,Samoa,San Marino,Saudi Arabia,Scotland,Senegal,Serbia,
Seychelles,Sierra Leone,Singapore,Slovakia,Slovenia,Solomon Islands,Somalia,South Africa,South Korea,
South Sudan,Spain,Sri Lanka,Sudan,Suriname,Sweden,Switzerland,Syria,Taiwan,Tajikistan,Tanzania,Thailand,Togo,
Tonga,Trinidad and Tobago,Tunisia,Turkey,Türkiye,Turkmenistan,Tuvalu,Uganda,Ukraine,United Arab Emirates,
United Kingdom,United States,United States of America,Uruguay,USA,US,UK,UAE,Uzbekistan,Vanuatu,Vatican City,
Venezuela,Vietnam,Wales,Yemen,Zambia,Zimbabwe`

// CountryAt returns how many tokens from i on name a country, 0 for none. The longest name wins.
func CountryAt(tokens []Token, i int) int {
	for n := min(4, len(tokens)-i); n > 0; n-- {
		parts := make([]string, n)
		for k := range parts {
			parts[k] = tokens[i+k].Word
		}
		if Countries[strings.Join(parts, " ")] {
			return n
		}
	}
	return 0
}
