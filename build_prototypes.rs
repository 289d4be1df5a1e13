//! The lists in `include/reftable-git-RELEASE.h`, for `build.rs`.
//!
//! cbindgen does not write imported declarations. This module translates the foreign
//! declarations in `src/git/abi` and the function pointers that git calls into lists of C
//! declarations with git's own type names, and lists the structs, members and constants.
//! The C shim expands each list, so that git's compiler compares every line with git's
//! headers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use syn::{
    Attribute, Expr, Fields, FnArg, ForeignItem, GenericArgument, Item, Lit, Meta, PathArguments,
    ReturnType, Type,
};

/// Prefix of the functions that the shim defines.
const SHIM: &str = "reftable_rs_";

/// Structs whose members git calls.
const TABLES: [&str; 2] = ["RefStorageBe", "RefIteratorVtable"];

/// The struct whose counterpart has a flexible member at its end.
const FLEXIBLE: &str = "RefUpdate";

/// Bit-fields, which have no address to compare.
const BIT_FIELDS: [(&str, &str); 2] = [("StringList", "bits"), ("RefIterator", "bits")];

/// The C counterparts of the Rust names in the sources.
struct Names {
    /// Structs, enums and numbers: the name in C.
    c: BTreeMap<String, String>,
    /// Aliases for an enum or a typedef: the number.
    numbers: BTreeMap<String, Type>,
    /// Aliases of function pointers.
    functions: BTreeMap<String, Type>,
}

/// The lists in the header of a release, for git's compiler.
pub struct Lists {
    /// Mirrors of git's structs and constants.
    layouts: Vec<Item>,
    /// Definitions of the backend for the shim.
    shim: Vec<Item>,
    /// Foreign declarations, and types that they use.
    foreign: Vec<Item>,
}

impl Lists {
    /// Parses the sources of a release.
    pub fn new(
        layouts: impl Iterator<Item = String>,
        shim: String,
        foreign: impl Iterator<Item = String>,
    ) -> Self {
        Self {
            layouts: layouts.flat_map(|source| parse(&source)).collect(),
            shim: parse(&shim),
            foreign: foreign.flat_map(|source| parse(&source)).collect(),
        }
    }

    /// The text to insert into the header.
    ///
    /// # Panics
    ///
    /// If a declaration has a type whose name in C is not documented.
    pub fn write(&self) -> String {
        let all = self.layouts.iter().chain(&self.shim).chain(&self.foreign);
        let names = Names::collect(all);
        let mut shim = Vec::new();
        let mut functions = Vec::new();
        let mut variables = Vec::new();
        for item in self.foreign.iter().filter_map(foreign_items).flatten() {
            match item {
                ForeignItem::Fn(function) => {
                    let line = names.prototype(&function.sig);
                    if function.sig.ident.to_string().starts_with(SHIM) {
                        shim.push(line);
                    } else {
                        functions.push(line);
                    }
                }
                ForeignItem::Static(variable) => {
                    variables.push(names.variable(&variable.ident.to_string(), &variable.ty));
                }
                _ => panic!("neither a function nor a variable"),
            }
        }
        let numbers = names
            .numbers
            .iter()
            .map(|(name, number)| format!("{}, {}", names.c[name], names.declare(number, "")));
        let mut out = String::new();
        list(&mut out, "GIT_STRUCTS", names.structs(&self.layouts));
        list(&mut out, "GIT_MEMBERS", names.members(&self.layouts));
        list(&mut out, "GIT_CONSTANTS", constants(&self.layouts));
        list(&mut out, "SHIM_FUNCTIONS", shim);
        list(&mut out, "GIT_FUNCTIONS", functions);
        list(&mut out, "GIT_VARIABLES", variables);
        list(&mut out, "GIT_CALLBACKS", names.callbacks(&self.layouts));
        list(&mut out, "GIT_INTEGERS", numbers.collect());
        out
    }

    /// The name in C of each type that cbindgen writes, without the word `struct` or `enum`.
    ///
    /// # Panics
    ///
    /// If the documentation of a type does not begin with its name in C.
    pub fn renamed(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.layouts.iter().chain(&self.shim).filter_map(|item| {
            let (mut name, attributes) = named(item)?;
            if let Some(renaming) = renaming(item) {
                // cbindgen reads the definition, which has the original name.
                name = renaming.ident.to_string();
            }
            let c = documented(attributes).unwrap_or_else(|| undocumented(&name));
            let bare = c.rsplit(' ').next()?;
            let bare = bare.strip_prefix(SHIM).unwrap_or(bare);
            Some((name, bare.to_owned()))
        })
    }
}

/// The modules that the file of the release `name` declares, each with its path beside that
/// file.
pub fn modules(source: &str, name: &str) -> Vec<(String, String)> {
    let modules = parse(source).into_iter().filter_map(|item| match item {
        Item::Mod(module) => Some(module),
        _ => None,
    });
    modules
        .map(|module| {
            let path = module.attrs.iter().find_map(|attribute| {
                let Meta::NameValue(meta) = &attribute.meta else {
                    return None;
                };
                meta.path.is_ident("path").then(|| text(&meta.value))?
            });
            let module = module.ident.to_string();
            let path = path.unwrap_or_else(|| format!("{name}/{module}.rs"));
            (module, path)
        })
        .collect()
}

fn parse(source: &str) -> Vec<Item> {
    syn::parse_file(source).expect("the source parses").items
}

fn undocumented(name: &str) -> ! {
    panic!("the documentation of {name} does not begin with its name in C");
}

fn list(out: &mut String, name: &str, entries: Vec<String>) {
    assert!(!entries.is_empty(), "{name} is empty");
    let _ = write!(out, "#define REFTABLE_RS_{name}(CHECK)");
    for entry in entries {
        let _ = write!(out, " \\\n  CHECK({entry})");
    }
    out.push_str("\n\n");
}

/// `NAME, MIRROR` for each constant.
fn constants(items: &[Item]) -> Vec<String> {
    let constants = items.iter().filter_map(|item| match item {
        Item::Const(item) => Some(item),
        _ => None,
    });
    constants
        .map(|item| {
            let mirror = item.ident.to_string();
            let name = documented(&item.attrs).filter(|name| !name.contains(' '));
            format!("{}, {mirror}", name.as_ref().unwrap_or(&mirror))
        })
        .collect()
}

/// The structs with named members, and their names in Rust.
fn structs(items: &[Item]) -> impl Iterator<Item = (String, &syn::FieldsNamed)> {
    items.iter().filter_map(|item| match item {
        Item::Struct(item) => match &item.fields {
            Fields::Named(fields) => Some((item.ident.to_string(), fields)),
            _ => None,
        },
        _ => None,
    })
}

fn foreign_items(item: &Item) -> Option<&Vec<ForeignItem>> {
    match item {
        Item::ForeignMod(block) => Some(&block.items),
        _ => None,
    }
}

fn named(item: &Item) -> Option<(String, &[Attribute])> {
    match item {
        Item::Struct(item) => Some((item.ident.to_string(), &item.attrs)),
        Item::Enum(item) => Some((item.ident.to_string(), &item.attrs)),
        Item::Type(item) => Some((item.ident.to_string(), &item.attrs)),
        Item::Use(item_use) => Some((renaming(item)?.rename.to_string(), &item_use.attrs)),
        _ => None,
    }
}

/// The end of `pub use PATH as NAME`, which adds a type of another module to the ABI.
fn renaming(item: &Item) -> Option<&syn::UseRename> {
    let Item::Use(item) = item else { return None };
    let mut tree = &item.tree;
    while let syn::UseTree::Path(path) = tree {
        tree = &path.tree;
    }
    match tree {
        syn::UseTree::Rename(renaming) => Some(renaming),
        _ => None,
    }
}

/// The name in C: all of the first line of the documentation, in backquotes.
fn documented(attributes: &[Attribute]) -> Option<String> {
    let first = attributes.iter().find_map(|attribute| {
        let Meta::NameValue(meta) = &attribute.meta else {
            return None;
        };
        meta.path.is_ident("doc").then(|| text(&meta.value))?
    })?;
    let name = first.trim().strip_prefix('`')?.strip_suffix("`.")?;
    name.chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ' ')
        .then(|| name.to_owned())
}

/// The content of a string literal.
fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The pointer in an `Option`, or the type itself.
fn bare_pointer(ty: &Type) -> &Type {
    if let Type::Path(path) = ty {
        let last = path.path.segments.last().expect("a path has segments");
        if let PathArguments::AngleBracketed(arguments) = &last.arguments {
            if let (true, Some(GenericArgument::Type(inner))) =
                (last.ident == "Option", arguments.args.first())
            {
                return inner;
            }
        }
    }
    ty
}

impl Names {
    fn collect<'a>(items: impl Iterator<Item = &'a Item>) -> Self {
        let mut names = Self {
            c: [
                ("c_char", "char"),
                ("c_int", "int"),
                ("c_uint", "unsigned int"),
                ("c_long", "long"),
                ("c_ulong", "unsigned long"),
                ("c_void", "void"),
                ("i64", "int64_t"),
                ("u32", "uint32_t"),
                ("u64", "uint64_t"),
                ("usize", "size_t"),
                ("bool", "bool"),
            ]
            .map(|(rust, c)| (rust.to_owned(), c.to_owned()))
            .into(),
            numbers: BTreeMap::new(),
            functions: BTreeMap::new(),
        };
        for item in items {
            names.add(item);
        }
        names
    }

    fn add(&mut self, item: &Item) {
        let Some((name, attributes)) = named(item) else {
            return;
        };
        if let Item::Type(alias) = item {
            let target = bare_pointer(&alias.ty);
            if matches!(target, Type::BareFn(_)) {
                self.functions.insert(name, target.clone());
                return;
            }
            self.numbers.insert(name.clone(), target.clone());
        }
        if let Some(c) = documented(attributes) {
            self.c.insert(name, c);
        }
    }

    /// `TYPE, NAME, (PARAMETERS)`.
    fn prototype(&self, signature: &syn::Signature) -> String {
        let mut parameters: Vec<String> = signature
            .inputs
            .iter()
            .map(|argument| match argument {
                FnArg::Typed(argument) => self.declare(&argument.ty, ""),
                FnArg::Receiver(_) => panic!("a foreign function without self"),
            })
            .collect();
        if signature.variadic.is_some() {
            parameters.push("...".to_owned());
        }
        let result = self.result(&signature.output);
        format!("{result}, {}, {}", signature.ident, enclosed(&parameters))
    }

    /// `TYPE, NAME, DIMENSION`.
    fn variable(&self, name: &str, ty: &Type) -> String {
        match ty {
            Type::Array(array) => {
                let Expr::Lit(literal) = &array.len else {
                    panic!("the length of {name} is not a number");
                };
                let Lit::Int(length) = &literal.lit else {
                    panic!("the length of {name} is not a number");
                };
                format!("{}, {name}, [{length}]", self.declare(&array.elem, ""))
            }
            ty => format!("{}, {name}, ", self.declare(ty, "")),
        }
    }

    fn tag(&self, rust: &str) -> &str {
        self.c[rust].trim_start_matches("struct ")
    }

    /// `STRUCT` for each struct whose size is git's.
    fn structs(&self, items: &[Item]) -> Vec<String> {
        structs(items)
            .filter(|(rust, _)| rust != FLEXIBLE)
            .map(|(rust, _)| self.tag(&rust).to_owned())
            .collect()
    }

    /// `STRUCT, MEMBER, MIRROR` for each member.
    fn members(&self, items: &[Item]) -> Vec<String> {
        let mut lines = Vec::new();
        for (rust, fields) in structs(items) {
            for field in &fields.named {
                let mirror = field.ident.as_ref().expect("a named field").to_string();
                if BIT_FIELDS.contains(&(rust.as_str(), mirror.as_str())) {
                    continue;
                }
                let member = documented(&field.attrs).unwrap_or_else(|| mirror.clone());
                lines.push(format!("{}, {member}, {mirror}", self.tag(&rust)));
            }
        }
        lines
    }

    /// `STRUCT, MEMBER, TYPE (*)(PARAMETERS)` for each function pointer in a table.
    fn callbacks(&self, items: &[Item]) -> Vec<String> {
        let mut lines = Vec::new();
        for (rust, fields) in structs(items).filter(|(rust, _)| TABLES.contains(&rust.as_str())) {
            for field in fields
                .named
                .iter()
                .filter(|field| self.is_function(&field.ty))
            {
                let name = field.ident.as_ref().expect("a named field");
                let pointer = self.declare(&field.ty, "");
                lines.push(format!("{}, {name}, {pointer}", self.tag(&rust)));
            }
        }
        lines
    }

    fn is_function(&self, ty: &Type) -> bool {
        match bare_pointer(ty) {
            Type::BareFn(_) => true,
            Type::Path(path) => path
                .path
                .get_ident()
                .is_some_and(|name| self.functions.contains_key(&name.to_string())),
            _ => false,
        }
    }

    fn result(&self, output: &ReturnType) -> String {
        match output {
            ReturnType::Default => "void".to_owned(),
            ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) => "void".to_owned(),
            ReturnType::Type(_, ty) => self.declare(ty, ""),
        }
    }

    /// The declaration in C of `declarator`, which may be empty, as a `ty`.
    fn declare(&self, ty: &Type, declarator: &str) -> String {
        match bare_pointer(ty) {
            Type::Ptr(pointer) => {
                let constant = pointer.const_token.is_some();
                match (&*pointer.elem, constant) {
                    (Type::Ptr(_), true) => {
                        self.declare(&pointer.elem, &format!("const *{declarator}"))
                    }
                    (_, true) => {
                        format!(
                            "const {}",
                            self.declare(&pointer.elem, &format!("*{declarator}"))
                        )
                    }
                    (_, false) => self.declare(&pointer.elem, &format!("*{declarator}")),
                }
            }
            Type::BareFn(function) => {
                let parameters: Vec<String> = function
                    .inputs
                    .iter()
                    .map(|argument| self.declare(&argument.ty, ""))
                    .collect();
                let result = self.result(&function.output);
                format!("{result} (*{declarator}){}", enclosed(&parameters))
            }
            Type::Path(path) => {
                let name = path.path.segments.last().expect("a path has segments");
                let name = name.ident.to_string();
                if let Some(function) = self.functions.get(&name) {
                    return self.declare(function, declarator);
                }
                let c = self.c.get(&name).unwrap_or_else(|| undocumented(&name));
                match declarator {
                    "" => c.clone(),
                    declarator => format!("{c} {declarator}"),
                }
            }
            _ => panic!("a type that has no counterpart in C"),
        }
    }
}

fn enclosed(parameters: &[String]) -> String {
    if parameters.is_empty() {
        return "(void)".to_owned();
    }
    format!("({})", parameters.join(", "))
}
