//! One section: its type found, its options read, its spec made.

use super::aliases;
use super::common::{self, Common, SectionKeys};
use heka_operators::decoders::DecoderSpec;
use heka_operators::encoders::EncoderSpec;
use heka_operators::filters::FilterSpec;
use heka_operators::inputs::InputSpec;
use heka_operators::outputs::OutputSpec;
use heka_operators::registry::{Category, Make, PluginType};
use heka_operators::splitters::SplitterSpec;
use heka_settings::{Data, Entry, Place, Problem, Problems, SettingType, Settings, Table, nearest, refuse_unknown};
use std::sync::Arc;

/// One plugin of a configuration.
#[derive(Clone)]
pub struct Section {
    /// Its name, unique in its category.
    pub name: String,
    /// Where its header stands; [`Place::NOWHERE`] for sections the daemon adds.
    pub place: Place,
    /// Its type.
    pub plugin: &'static PluginType,
    /// Its common options, resolved.
    pub common: Common,
    /// Its own options, checked.
    pub spec: Spec,
    /// Its options as written, old ones turned into today's.
    pub table: Table,
}

/// A plugin's own options, by category.
#[derive(Clone)]
pub enum Spec {
    /// Of an input.
    Input(Arc<dyn InputSpec>),
    /// Of a splitter.
    Splitter(Arc<dyn SplitterSpec>),
    /// Of a decoder.
    Decoder(Arc<dyn DecoderSpec>),
    /// Of a filter.
    Filter(Arc<dyn FilterSpec>),
    /// Of an encoder.
    Encoder(Arc<dyn EncoderSpec>),
    /// Of an output.
    Output(Arc<dyn OutputSpec>),
}

impl Section {
    /// The category.
    pub fn category(&self) -> Category {
        self.plugin.category()
    }

    /// Whether two sections ask for the same plugin, wherever they stand: a reload may keep it then.
    pub fn same(&self, other: &Section) -> bool {
        self.name == other.name && std::ptr::eq(self.plugin, other.plugin) && same_table(&self.table, &other.table)
    }

    /// Makes a section of a known type out of its options.
    pub fn make(
        name: String,
        place: Place,
        plugin: &'static PluginType,
        table: Table,
        problems: &mut Problems,
    ) -> Self {
        let mut own = Problems::of(name.as_str());
        let common = common::read(&name, plugin, &table, &mut own);
        if !plugin.defaults.accepts_any {
            let known = [SectionKeys::table(), common::table(plugin.category()), (plugin.settings)()];
            refuse_unknown(&table, &known, &mut own);
        }
        let mut of_spec = Problems::of(name.as_str());
        let spec = match plugin.make {
            Make::Input(make) => Spec::Input(make(&table, &mut of_spec)),
            Make::Splitter(make) => Spec::Splitter(make(&table, &mut of_spec)),
            Make::Decoder(make) => Spec::Decoder(make(&table, &mut of_spec)),
            Make::Filter(make) => Spec::Filter(make(&table, &mut of_spec)),
            Make::Encoder(make) => Spec::Encoder(make(&table, &mut of_spec)),
            Make::Output(make) => Spec::Output(make(&table, &mut of_spec)),
        };
        // A plugin may declare a common option itself: what is wrong with its value is said once.
        let said: Vec<Place> = own.iter().map(|p| p.place).filter(|p| *p != Place::NOWHERE).collect();
        for mut problem in of_spec.into_sorted() {
            if !said.contains(&problem.place) {
                if problem.place == Place::NOWHERE {
                    problem.place = place;
                }
                own.push(problem);
            }
        }
        problems.append(own);
        Section { name, place, plugin, common, spec, table }
    }
}

fn same_table(a: &Table, b: &Table) -> bool {
    a.entries.len() == b.entries.len()
        && a.entries.iter().all(|x| b.entries.iter().any(|y| x.key == y.key && same_data(&x.value.data, &y.value.data)))
}

fn same_data(a: &Data, b: &Data) -> bool {
    match (a, b) {
        (Data::Table(a), Data::Table(b)) => same_table(a, b),
        (Data::Array(a), Data::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_data(&a.data, &b.data))
        }
        (a, b) => a == b,
    }
}

/// What one document holds.
#[derive(Default)]
pub struct Contents {
    /// `[hekad]`.
    pub hekad: Option<Entry>,
    /// The plugins, in file order.
    pub sections: Vec<Section>,
    /// What is wrong.
    pub problems: Problems,
}

/// Reads all sections of a document.
pub fn read_document(root: Table, types: &[&'static PluginType]) -> Contents {
    let mut contents = Contents::default();
    for entry in root.entries {
        if entry.key == "hekad" {
            contents.hekad = Some(entry);
        } else {
            read_section(entry, types, &mut contents.sections, &mut contents.problems);
        }
    }
    contents
}

fn read_section(entry: Entry, types: &[&'static PluginType], sections: &mut Vec<Section>, problems: &mut Problems) {
    let Entry { key: name, place, value } = entry;
    let Data::Table(mut table) = value.data else {
        let message =
            format!("can't decode common config for '{name}': expected a section, found {}", value.type_name());
        problems.push(Problem::error(place, message).help("an option stands below the header of its section"));
        return;
    };
    table.place = place;
    let Some(plugin) = find_type(&name, &table, types, problems) else { return };
    let private = aliases::apply(&name, plugin, &mut table, problems);
    sections.push(Section::make(name, place, plugin, table, problems));
    for section in private {
        match types.iter().find(|t| t.name == section.type_name) {
            Some(plugin) => {
                let place = section.table.place;
                sections.push(Section::make(section.name, place, plugin, section.table, problems));
            }
            None => {
                let message = format!("No registered plugin type: {}", section.type_name);
                problems.push(Problem::error(section.table.place, message));
            }
        }
    }
}

fn find_type(
    name: &str,
    table: &Table,
    types: &[&'static PluginType],
    problems: &mut Problems,
) -> Option<&'static PluginType> {
    let given = table.get("type");
    let type_name = match given {
        None => None,
        Some(entry) => {
            let mut own = Problems::default();
            let text = String::from_value(&entry.value, &mut own);
            problems.append(own.map(|mut problem| {
                problem.message = format!("can't decode common config for '{name}': {}", problem.message);
                problem
            }));
            Some(text?).filter(|text| !text.is_empty())
        }
    };
    let wanted = type_name.as_deref().unwrap_or(name);
    if let Some(plugin) = types.iter().find(|t| t.name == wanted) {
        return Some(plugin);
    }
    let place = given.filter(|_| type_name.is_some()).map_or(table.place, |entry| entry.value.place);
    let problem = Problem::error(place, format!("No registered plugin type: {wanted}"));
    let near = nearest(wanted, types.iter().map(|t| t.name));
    problems.push(match (near, Category::of(wanted)) {
        (Some(near), _) => problem.help(format!("did you mean `{near}`?")),
        (None, Some(category)) => {
            let all: Vec<&str> = types.iter().filter(|t| t.category() == category).map(|t| t.name).collect();
            problem.help(format!("{} types are: {}", category.name(), all.join(", ")))
        }
        (None, None) if type_name.is_none() => problem.help("add the section's type, for example type = \"TcpInput\""),
        (None, None) => problem.help(
            "Unrecognized plugin category: a type's name ends in Input, Splitter, Decoder, Filter, Encoder or Output",
        ),
    });
    None
}
