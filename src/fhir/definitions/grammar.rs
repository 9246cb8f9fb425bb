//! The fhir room: code systems that are a grammar or a short list and not a CodeSystem,
//! <https://hl7.org/fhir/R4/terminologies-systems.html>.

use super::terminology::{Concept, Lookup};
use super::value_set::Filter;
use language_tags::LanguageTag;
use std::sync::Arc;

/// A longer unit is not looked at: real ones have some 20 letters.
const MAX_UNIT: usize = 256;

/// `None`: this file knows nothing of the system (which may carry a version).
pub(super) fn lookup(system: &str, code: &str) -> Option<Lookup> {
    let url = system.split('|').next().unwrap_or(system);
    let among = |list: &str| list.split(' ').any(|known| known == code);
    let valid = match url {
        "http://unitsofmeasure.org" if code.len() > MAX_UNIT => {
            return Some(Lookup::Unknown("the unit is too long".into()));
        }
        "http://unitsofmeasure.org" => is_unit(code),
        "urn:ietf:bcp:13" => is_media_type(code),
        "urn:ietf:bcp:47" => return Some(language(code)),
        "urn:iso:std:iso:4217" => among(CURRENCIES),
        "https://www.usps.com/" => among(STATES),
        "urn:iso:std:iso:3166" if code.len() != 2 => {
            return Some(Lookup::Unknown("of ISO 3166 only the codes of two letters are here".into()));
        }
        "urn:iso:std:iso:3166" => among(COUNTRIES),
        _ => return None,
    };
    Some(if valid { found(url, code) } else { Lookup::NotFound })
}

/// Whether codes of that system can be judged here.
pub(super) fn knows(system: &str) -> bool {
    lookup(system, "").is_some()
}

/// All codes of a system, where they are listed here.
pub(super) fn codes(system: &str) -> Option<Vec<Arc<Concept>>> {
    let list = match system {
        "urn:iso:std:iso:4217" => CURRENCIES,
        "https://www.usps.com/" => STATES,
        _ => return None,
    };
    let concept = |code: &str| Concept { system: Some(system.to_owned()), code: code.to_owned(), ..Concept::default() };
    Some(list.split(' ').map(concept).map(Arc::new).collect())
}

/// Whether a code that [`lookup`] found passes the filters of a ValueSet; `None` if that cannot be told here.
pub(super) fn passes(system: &str, code: &str, filters: &[Filter]) -> Option<bool> {
    if system.split('|').next() != Some("urn:ietf:bcp:47") {
        return None;
    }
    let tag = LanguageTag::parse(code).ok()?;
    let one = |filter: &Filter| {
        let part = match filter.property.as_str() {
            "ext-lang" => tag.extended_language(),
            "script" => tag.script(),
            "region" => tag.region(),
            "variant" => tag.variant(),
            "extension" => tag.extension(),
            "private-use" => tag.private_use(),
            _ => return None,
        };
        match (filter.op.as_str(), filter.value.as_str()) {
            ("exists", "true") => Some(part.is_some()),
            ("exists", "false") => Some(part.is_none()),
            _ => None,
        }
    };
    filters.iter().map(one).try_fold(true, |all, passed| Some(all && passed?))
}

/// Parsed and evaluated: the library's own `validate` also looks for what may have been meant, which takes long.
fn is_unit(code: &str) -> bool {
    octofhir_ucum::parse_expression(code).is_ok_and(|unit| octofhir_ucum::evaluate(&unit).is_ok())
}

fn found(system: &str, code: &str) -> Lookup {
    Lookup::Found(Arc::new(Concept { system: Some(system.to_owned()), code: code.to_owned(), ..Concept::default() }))
}

/// `type/subtype`, perhaps with parameters, <https://www.rfc-editor.org/rfc/rfc6838#section-4.2>. Whether it was ever
/// registered is not asked: BCP 13 has unregistered trees too.
fn is_media_type(code: &str) -> bool {
    let mut parts = code.split(';');
    let name = |text: &str| {
        let in_name = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        text.len() <= 127 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(in_name)
    };
    let full = parts.next().and_then(|t| t.trim_end().split_once('/')).is_some_and(|(t, s)| name(t) && name(s));
    let token = |c: char| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c);
    let parameter = |text: &str| {
        let Some((key, value)) = text.trim().split_once('=') else { return false };
        let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        let fits = quoted.map_or_else(
            || !value.is_empty() && value.chars().all(token),
            |inner| inner.chars().all(|c| c != '"' && !c.is_control()),
        );
        !key.is_empty() && key.chars().all(token) && fits
    };
    full && parts.all(parameter)
}

/// A language tag, <https://www.rfc-editor.org/info/bcp47>: wrong if it is not well formed or its language is two
/// letters that ISO 639-1 has not; of three letters and of the other parts only the form can be told, for the registry
/// is not here.
fn language(code: &str) -> Lookup {
    let Ok(tag) = LanguageTag::parse(code) else { return Lookup::NotFound };
    let primary = tag.primary_language().to_ascii_lowercase();
    match primary.len() {
        2 if LANGUAGES.split(' ').any(|known| known == primary) => found("urn:ietf:bcp:47", code),
        2 => Lookup::NotFound,
        _ => Lookup::Unknown(format!("the registry of language tags is not here, so {code} cannot be checked")),
    }
}

/// ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy \
    da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik \
    io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt \
    my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn \
    so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// ISO 4217, active and withdrawn since R4 was published.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN \
    BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP \
    GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD \
    KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR \
    PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB \
    TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD \
    XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL";

/// ISO 3166-1, alpha-2.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
    FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
    JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP \
    MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
    RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// USPS: states, territories, freely associated states and armed forces.
const STATES: &str = "AK AL AR AS AZ CA CO CT DC DE FL FM GA GU HI IA ID IL IN KS KY LA MA MD ME MH MI MN MO MP MS MT NC ND \
    NE NH NJ NM NV NY OH OK OR PA PR PW RI SC SD TN TX UT VA VI VT WA WI WV WY AA AE AP";
