#include "hpot/core/archive.hpp"

#include "hpot/core/error.hpp"
#include "hpot/core/field.hpp"

namespace hpot {

std::size_t Record::bytes() const {
  std::size_t sum = 0;
  for (const Entry& entry : entries) sum += entry.field.size() * sizeof(Real);
  return sum;
}

Archive Archive::saving() { return {}; }

Archive Archive::loading(Record record) {
  Archive archive;
  archive.loads_ = true;
  archive.record_ = std::move(record);
  return archive;
}

/// Entries are visited in the order in which they were put; another order means another program.
Field Archive::next(const std::string& name) {
  require(position_ < record_.entries.size() && record_.entries[position_].name == name, "saved state",
          "'" + name + "' is not where it should be", "was it written by another version of the program?");
  return record_.entries[position_++].field;
}

void Archive::numbers(const std::string& name, std::vector<Real>& values) {
  if (loads_) {
    values = host_values(next(name));
  } else {
    record_.entries.push_back({name, make_field("hpot::Archive::numbers", 1, values)});
  }
}

void Archive::number(const std::string& name, Real& value) {
  std::vector<Real> values{value};
  numbers(name, values);
  require(values.size() == 1, "saved state", "'" + name + "' is not one number");
  value = values[0];
}

void Archive::number(const std::string& name, Index& value) {
  Real number_value = static_cast<Real>(value);
  number(name, number_value);
  value = static_cast<Index>(number_value);
}

void Archive::number(const std::string& name, int& value) {
  Index index = value;
  number(name, index);
  value = static_cast<int>(index);
}

void Archive::number(const std::string& name, bool& value) {
  Index index = value ? 1 : 0;
  number(name, index);
  value = index != 0;
}

void Archive::field(const std::string& name, Field& field) {
  if (loads_) {
    field = next(name);
  } else {
    record_.entries.push_back({name, field});
  }
}

void Archive::values(const std::string& name, const Field& field) {
  if (!loads_) {
    record_.entries.push_back({name, field});
    return;
  }
  const Field saved = next(name);
  require(saved.extent(0) == field.extent(0) && saved.extent(1) == field.extent(1), "saved state",
          "'" + name + "' has another size", "was it written for other input?");
  Kokkos::deep_copy(field, saved);
}

void Archive::fields(const std::string& name, std::vector<Field>& fields) {
  Index count = static_cast<Index>(fields.size());
  number(name + "_count", count);
  fields.resize(static_cast<std::size_t>(count));
  for (std::size_t n = 0; n < fields.size(); ++n) field(name + "_" + std::to_string(n), fields[n]);
}

}  // namespace hpot
