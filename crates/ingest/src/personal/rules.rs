//! Which words in a field's name say that it holds personal data.
//!
//! The words are those of Vietnamese land offices, with their abbreviations, and the English ones of common
//! exports. Each rule lists phrases, and what excuses them: words right before or after (`ghi chu`, `chu
//! vi`), or anywhere in the name (`loai`). A new spelling is a new phrase here and a line in the table of the
//! tests.

use std::sync::LazyLock;

use super::words::{DBF_NAME, Glue, Lexicon};

/// What kind of personal data a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Owner,
    Person,
    IdentityNumber,
    Certificate,
    Phone,
    Email,
    Birth,
    HomeAddress,
    Account,
}

impl Kind {
    /// The kind in the words of a report: "its name says that it holds …".
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "the owner or user of something",
            Self::Person => "data of a person",
            Self::IdentityNumber => "identity papers or their numbers",
            Self::Certificate => "the number of a land certificate",
            Self::Phone => "phone numbers or other ways to reach a person",
            Self::Email => "e-mail addresses",
            Self::Birth => "birth dates or the like",
            Self::HomeAddress => "where a person lives",
            Self::Account => "tax or bank numbers",
        }
    }
}

/// Phrases of one kind, and what excuses them. Words are separated by one space.
struct Rule {
    kind: Kind,
    phrases: &'static [&'static str],
    /// Not if one of these comes right before the phrase,
    before: &'static [&'static str],
    /// or right after it,
    after: &'static [&'static str],
    /// or is anywhere in the name.
    anywhere: &'static [&'static str],
}

const RULES: [Rule; 17] = [
    Rule {
        kind: Kind::Owner,
        phrases: &["chu", "csd", "csdd", "csh", "nsd", "nsdd"],
        before: &[
            "ghi", "dan", "tu", "phu", "bang", "kieu", "mau", "font", "cao", "goc", "loai", "nhom", "hinh",
        ],
        after: &[
            "vi", "ky", "de", "thich", "giai", "dau tu", "nhat", "yeu", "dong", "dao", "tri", "quan", "y",
            "nghia", "trinh", "dan", "cai", "viet", "luc", "chot", "truong",
        ],
        anywhere: &["type"],
    },
    Rule {
        kind: Kind::Owner,
        phrases: &["ten sd", "ten sdd", "ten su dung", "ho su dung", "ho sd", "ho sdd", "so huu"],
        before: &[
            "hinh thuc",
            "hinh",
            "che do",
            "loai",
            "quyen",
            "tinh trang",
            "thoi han",
            "nguon goc",
            "ty le",
            "ti le",
            "dien tich",
            "so",
        ],
        after: &["nha nuoc"],
        anywhere: &["muc dich"],
    },
    Rule {
        kind: Kind::Owner,
        phrases: &[
            "owner",
            "owners",
            "own",
            "ownname",
            "ownaddr",
            "ownaddress",
            "landowner",
            "coowner",
            "landlord",
            "landholder",
            "leaseholder",
            "holder",
            "householder",
            "proprietor",
            "occupier",
            "occupant",
            "tenant",
            "lessee",
            "lessor",
            "grantee",
            "grantor",
            "possessor",
            "beneficiary",
        ],
        before: &["place", "number of", "no of", "count", "num"],
        after: &["load", "occupied"],
        anywhere: &["type", "class", "category", "kind", "count", "status", "share", "group"],
    },
    Rule {
        kind: Kind::Person,
        phrases: &["nguoi"],
        before: &["so", "luong", "do", "tong", "binh quan", "suc chua", "mat"],
        after: &["di bo", "khuyet tat", "dan"],
        anywhere: &[],
    },
    Rule {
        kind: Kind::Person,
        phrases: &["ten ho"],
        before: &[],
        after: &[
            "nuoc", "chua", "dieu", "boi", "dap", "ga", "thu", "so", "sinh", "thuy", "nuoi", "tro", "cau",
        ],
        anywhere: &[],
    },
    Rule {
        kind: Kind::Person,
        phrases: &[
            "ho ten",
            "ho va ten",
            "hoten",
            "hovaten",
            "ho dem",
            "ten dem",
            "ho gia dinh",
            "ho dan",
            "ca nhan",
            "ten vo",
            "ten chong",
            "vo chong",
            "khach hang",
            "ben mua",
            "ben nhan chuyen nhuong",
            "dai dien",
            "benh nhan",
            "chan dung",
        ],
        before: &["so", "tong", "tong so", "luong", "loai", "nhom", "anh", "hinh", "diem", "dat"],
        after: &[],
        anywhere: &[],
    },
    Rule {
        kind: Kind::Person,
        phrases: &[
            "fullname",
            "full name",
            "firstname",
            "first name",
            "lastname",
            "last name",
            "surname",
            "familyname",
            "family name",
            "givenname",
            "given name",
            "middle name",
            "maiden name",
            "person",
            "personal",
            "citizen",
            "resident",
            "user",
            "username",
            "applicant",
            "claimant",
            "taxpayer",
            "buyer",
            "seller",
            "customer",
        ],
        before: &["non", "count", "num", "max", "min", "per"],
        after: &["capacity", "population", "area", "zone", "permit", "defined", "hours"],
        anywhere: &["type", "class", "category", "kind", "count"],
    },
    Rule {
        kind: Kind::IdentityNumber,
        phrases: &[
            "cccd",
            "cmnd",
            "cmt",
            "cmtnd",
            "cmtcc",
            "cmqd",
            "cmsq",
            "gttt",
            "sddcn",
            "ddcn",
            "so cc",
            "so gt",
            "can cuoc",
            "chung minh",
            "ho chieu",
            "passport",
            "giay to",
            "tuy than",
            "identity",
            "idcard",
            "id card",
            "identification",
            "national id",
            "nationalid",
            "id number",
            "idnumber",
            "id no",
            "idno",
            "ssn",
            "nid",
        ],
        before: &[],
        after: &[],
        anywhere: &[],
    },
    Rule { kind: Kind::IdentityNumber, phrases: &["dinh danh"], before: &[], after: &[], anywhere: THINGS },
    Rule {
        kind: Kind::Certificate,
        phrases: &[
            "gcn",
            "gcnqsd",
            "gcnqsdd",
            "giay chung nhan",
            "so phat hanh",
            "so vao so",
            "so seri",
            "so serial",
        ],
        before: &["co", "da", "chua", "loai"],
        after: &[],
        anywhere: &["dien tich", "dt", "tinh trang", "trang thai", "da cap", "chua cap", "status", "area"],
    },
    Rule {
        kind: Kind::Phone,
        phrases: &["dien thoai", "dthoai", "di dong"],
        before: &[
            "cap",
            "cot",
            "tram",
            "tu",
            "tuyen",
            "duong day",
            "hop",
            "buong",
            "bot",
            "mang",
            "ham",
            "song",
            "phat",
            "tram phat",
            "phu song",
        ],
        after: &["cong cong"],
        anywhere: &[],
    },
    Rule {
        kind: Kind::Phone,
        phrases: &[
            "phone",
            "phones",
            "telephone",
            "tel",
            "telefon",
            "mobile",
            "mobiles",
            "cellphone",
            "mobilephone",
            "phonenumber",
            "contact",
            "contacts",
            "fax",
            "hotline",
            "whatsapp",
            "viber",
            "zalo",
            "facebook",
            "skype",
            "sdt",
            "so dt",
            "dtdd",
            "dtll",
            "dtlh",
            "lien he",
        ],
        before: &["communication", "communication mobile", "emergency"],
        after: &[
            "booth", "box", "pole", "line", "cable", "tower", "mast", "exchange", "network", "coverage",
            "signal", "repair", "shop", "home", "type",
        ],
        anywhere: &[],
    },
    Rule { kind: Kind::Phone, phrases: &["lien lac"], before: &["thong tin"], after: &[], anywhere: &[] },
    Rule {
        kind: Kind::Email,
        phrases: &["email", "emails", "mail", "mails", "gmail", "thu dien tu", "hop thu"],
        before: &[],
        after: &["box"],
        anywhere: &[],
    },
    Rule {
        kind: Kind::Birth,
        phrases: &[
            "ngay sinh",
            "nam sinh",
            "thang sinh",
            "noi sinh",
            "sinh ngay",
            "sinh nam",
            "nsinh",
            "ngsinh",
            "ng sinh",
            "n sinh",
            "birth",
            "birthday",
            "birthdate",
            "birthyear",
            "birthplace",
            "dob",
            "yob",
            "born",
            "que quan",
            "nguyen quan",
            "dan toc",
            "gioi tinh",
            "quoc tich",
            "hon nhan",
            "ton giao",
            "nghe nghiep",
            "gender",
            "sex",
            "nationality",
            "ethnicity",
        ],
        before: &["co so", "dat", "cong trinh", "dat co so", "truong", "noi tru", "cstg"],
        after: &["hoat", "thai", "hoc", "vien", "truong", "san", "noi tru"],
        anywhere: &[],
    },
    Rule {
        kind: Kind::HomeAddress,
        phrases: &[
            "thuong tru",
            "tam tru",
            "noi cu tru",
            "dia chi cu tru",
            "noi o",
            "cho o",
            "ho khau",
            "hktt",
            "dkhktt",
            "dctt",
            "dcll",
            "dclh",
            "dia chi tt",
            "dc tt",
            "dia chi lh",
            "mailing",
            "mailingaddress",
            "home address",
            "homeaddress",
        ],
        before: &[],
        after: &[],
        anywhere: &[],
    },
    Rule {
        kind: Kind::Account,
        phrases: &[
            "mst",
            "ma so thue",
            "ma thue",
            "so thue",
            "ms thue",
            "nop thue",
            "tax",
            "taxcode",
            "taxid",
            "taxno",
            "taxnumber",
            "stk",
            "tai khoan",
            "bank account",
            "iban",
        ],
        before: &[],
        after: &[
            "bao", "rate", "zone", "lot", "map", "block", "parcel", "area", "district", "value", "year",
            "class", "roll",
        ],
        anywhere: &[],
    },
];

/// What may have an identifier of its own without being a person: `ma_dinh_danh_thua` is a parcel's.
const THINGS: &[&str] = &[
    "thua",
    "thua dat",
    "parcel",
    "cong trinh",
    "doi tuong",
    "duong",
    "tram",
    "cap",
    "cot",
    "ho ga",
    "xa",
    "phuong",
    "dvhc",
    "don vi",
    "tai san",
    "bds",
    "bat dong san",
    "can ho",
    "can nha",
    "ngoi nha",
    "toa nha",
    "to chuc",
    "co quan",
    "lo",
    "o pho",
    "du an",
    "ho so",
    "van ban",
    "quy hoach",
    "layer",
    "lop",
];

/// Words that say nothing of a person, listed so that glued text is cut right and no known word is found in
/// them.
const PLAIN: &[&str] = &[
    // What stands beside the phrases in Vietnamese names, and abbreviations.
    "ten",
    "ho",
    "so",
    "ma",
    "dia",
    "chi",
    "dien",
    "tich",
    "ngay",
    "thang",
    "nam",
    "cap",
    "noi",
    "moi",
    "cu",
    "hien",
    "tai",
    "nha",
    "dat",
    "thua",
    "to",
    "xa",
    "phuong",
    "quan",
    "huyen",
    "tinh",
    "duong",
    "pho",
    "loai",
    "muc",
    "dich",
    "su",
    "dung",
    "ban",
    "do",
    "sd",
    "sdd",
    "sh",
    "qsd",
    "qsdd",
    "qsh",
    "dc",
    "dt",
    "tt",
    "ms",
    "lh",
    "ll",
    "kh",
    "stt",
    "tb",
    "pl",
    "xd",
    "qh",
    "vh",
    "csdl",
    "gt",
    // English.
    "address",
    "area",
    "building",
    "category",
    "city",
    "code",
    "count",
    "country",
    "created",
    "date",
    "district",
    "edited",
    "field",
    "floor",
    "group",
    "height",
    "house",
    "household",
    "householdsize",
    "last",
    "length",
    "level",
    "name",
    "note",
    "notes",
    "number",
    "of",
    "ownership",
    "parcel",
    "place",
    "province",
    "road",
    "status",
    "street",
    "title",
    "type",
    "update",
    "use",
    "usage",
    "value",
    "village",
    "ward",
    "width",
    "year",
    "zone",
    "home",
    "land",
    "main",
    "the",
    "full",
    "first",
    "given",
    "family",
    "surface",
    "church",
    "school",
    "hotel",
    "motel",
    "tower",
    "power",
    "personnel",
    "persons",
    "people",
    "automobile",
    "mailbox",
    "president",
    "residential",
    "stakeholder",
    "placeholder",
    "contactless",
    "headphone",
    "microphone",
    "booth",
    "phonebooth",
];

/// Phrases that are found only as pieces of their own.
const ALONE: &[&str] = &[
    "tel", "fax", "dob", "yob", "mail", "mails", "ng", "n", "own", "tax", "sex", "ssn", "nid", "born", "csh",
    "nsd", "home", "the",
];

/// The words of all phrases.
pub(super) fn lexicon() -> &'static Lexicon {
    static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
        let phrases = RULES.iter().flat_map(|rule| [rule.phrases, rule.before, rule.after, rule.anywhere]);
        let words = phrases.chain([PLAIN]).flatten().flat_map(|phrase| phrase.split(' '));
        Lexicon::new(words.map(|word| (word, if ALONE.contains(&word) { Glue::No } else { Glue::Yes })))
    });
    &LEXICON
}

/// What a field's name says of persons; none if nothing.
pub(super) fn kind_of_name(name: &str) -> Option<Kind> {
    let words = lexicon().words(name);
    // A table of dBASE cuts names after 10 bytes, so that the last word may be the beginning of one.
    let cut = name.len() == DBF_NAME;
    RULES.iter().find(|rule| rule.applies(&words, cut)).map(|rule| rule.kind)
}

/// Whether the name is as often a place's as a person's, so that the values have to tell: `full_name`,
/// `ten_ho`.
pub(super) fn may_name_a_place(name: &str) -> bool {
    let words = lexicon().words(name);
    ["full name", "fullname", "ten ho"].iter().any(|phrase| positions(&words, phrase, false).next().is_some())
}

/// Whether the name says that the values identify something that is no person.
pub(super) fn identifies_a_thing(name: &str) -> bool {
    let words = lexicon().words(name);
    THINGS.iter().any(|thing| positions(&words, thing, false).next().is_some())
}

impl Rule {
    fn applies(&self, words: &[String], cut: bool) -> bool {
        let excused_anywhere =
            self.anywhere.iter().any(|phrase| positions(words, phrase, false).next().is_some());
        !excused_anywhere
            && self.phrases.iter().any(|phrase| {
                let len = phrase.split(' ').count();
                positions(words, phrase, cut).any(|at| {
                    let before = self.before.iter().any(|phrase| ends_with(&words[..at], phrase));
                    let after = self
                        .after
                        .iter()
                        .any(|phrase| starts_with(&words[(at + len).min(words.len())..], phrase));
                    !before && !after
                })
            })
    }
}

/// Where `phrase` begins in `words`. With `cut`, the last word may be the beginning (two letters at least) of
/// the phrase's last word, if that is not its only one.
fn positions<'a>(words: &'a [String], phrase: &'a str, cut: bool) -> impl Iterator<Item = usize> + 'a {
    let len = phrase.split(' ').count();
    (0..(words.len() + 1).saturating_sub(len)).filter(move |&at| {
        words[at..at + len].iter().zip(phrase.split(' ')).enumerate().all(|(step, (word, wanted))| {
            let last = cut && at + step + 1 == words.len() && step > 0;
            word == wanted || last && word.len() >= 2 && wanted.starts_with(word.as_str())
        })
    })
}

fn starts_with(words: &[String], phrase: &str) -> bool {
    phrase.split(' ').count() <= words.len()
        && words.iter().zip(phrase.split(' ')).all(|(word, wanted)| word == wanted)
}

fn ends_with(words: &[String], phrase: &str) -> bool {
    let len = phrase.split(' ').count();
    len <= words.len() && starts_with(&words[words.len() - len..], phrase)
}
