#include "hpot/core/archive.hpp"

#include "hpot/core/error.hpp"
#include "hpot/core/field.hpp"

namespace hpot {

void require_same_extents(const std::string& name, const Field& saved, const Field& target) {
  require(saved.extent(0) == target.extent(0) && saved.extent(1) == target.extent(1), "saved state",
          "'" + name + "' has another size", "was it written for other input?");
}

Archive Archive::saving() { return {}; }

Archive Archive::loading(Source source) {
  Archive archive;
  archive.loads_ = true;
  archive.source_ = std::move(source);
  return archive;
}

Archive Archive::loading(Record record) {
  std::size_t position = 0;
  return loading([record = std::move(record), position](const std::string& name, Field& target) mutable {
    require(position < record.entries.size() && record.entries[position].name == name, "saved state",
            "'" + name + "' is not where it should be", "was it written by another version of the program?");
    const Field& saved = record.entries[position++].field;
    if (target.size() == 0) {
      target = saved;
    } else {
      require_same_extents(name, saved, target);
      Kokkos::deep_copy(target, saved);
    }
  });
}

void Archive::numbers(const std::string& name, std::vector<Real>& values) {
  if (loads_) {
    Field saved;
    source_(name, saved);
    values = host_values(saved);
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
    Field saved;
    source_(name, saved);
    field = saved;
  } else {
    record_.entries.push_back({name, field});
  }
}

void Archive::values(const std::string& name, const Field& field) {
  if (!loads_) {
    record_.entries.push_back({name, field});
    return;
  }
  Field target = field;
  source_(name, target);
  require_same_extents(name, target, field);
}

void Archive::fields(const std::string& name, std::vector<Field>& fields) {
  Index count = static_cast<Index>(fields.size());
  number(name + "_count", count);
  fields.resize(static_cast<std::size_t>(count));
  for (std::size_t n = 0; n < fields.size(); ++n) field(name + "_" + std::to_string(n), fields[n]);
}

}  // namespace hpot
