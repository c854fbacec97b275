// What a computation needs to go on from where it is: named numbers and fields, put into a record or taken from one by the
// same visit, so that saving and loading cannot differ.
#pragma once

#include "hpot/core/types.hpp"

#include <functional>
#include <string>
#include <vector>

namespace hpot {

/// Entries in the order in which they were put. Local: every rank has its own, with the same names.
struct Record {
  struct Entry {
    std::string name;
    Field field;  // numbers are a field of one row; fields are shared, not copied
  };
  std::vector<Entry> entries;
};

/// InputError unless both fields have the same extents.
void require_same_extents(const std::string& name, const Field& saved, const Field& target);

class Archive {
 public:
  /// Gives the field saved under `name`: fills `target` where it has values, whose extents must be those saved, else makes it.
  using Source = std::function<void(const std::string& name, Field& target)>;

  static Archive saving();
  static Archive loading(Source source);
  /// From memory; fields that are made share the record's.
  static Archive loading(Record record);

  [[nodiscard]] bool loads() const { return loads_; }

  void number(const std::string& name, Real& value);
  void number(const std::string& name, Index& value);  // exact below 2^53
  void number(const std::string& name, int& value);
  void number(const std::string& name, bool& value);
  void numbers(const std::string& name, std::vector<Real>& values);
  /// Saving keeps a reference: write the record before the field changes. Loading replaces `field`. Fields may be empty.
  void field(const std::string& name, Field& field);
  /// Loading copies into `field`, whose extents must be those saved.
  void values(const std::string& name, const Field& field);
  /// As field() for each of them; loading sets their number.
  void fields(const std::string& name, std::vector<Field>& fields);

  /// What was saved.
  [[nodiscard]] const Record& record() const { return record_; }

 private:
  bool loads_ = false;
  Record record_;
  Source source_;
};

using Visit = std::function<void(Archive&)>;

}  // namespace hpot
