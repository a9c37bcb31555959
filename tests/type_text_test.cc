// The signature of a task as text: the same for the same types, another one for others.
#include <procpool/detail/type_text.h>

#include <gtest/gtest.h>

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <procpool/shared_array.h>
#include "tests/type_text_other.h"

namespace procpool {
namespace {

// As in type_text_other.cc.
struct Point {
  double x, y;
};
enum class Kind : char { kOne };

using detail::SignatureText;
using detail::TypeText;

TEST(TypeText, IsTheNameOfTheType) {
  EXPECT_EQ(TypeText<int>(), "int");
  EXPECT_EQ(TypeText<double>(), "double");
  EXPECT_EQ(TypeText<std::vector<double>>(), "std::vector<double>");
  EXPECT_EQ(TypeText<void>(), "void");
  EXPECT_NE(TypeText<Point>().find("Point"), std::string_view::npos);
  EXPECT_NE(TypeText<std::span<const int>>(), TypeText<std::vector<int>>());
}

TEST(TypeText, ASignatureIsResultAndArguments) {
  EXPECT_EQ((SignatureText<int, int, double>()), "int(int, double)");
  EXPECT_EQ(SignatureText<void>(), "void()");
  EXPECT_EQ((SignatureText<int, const double&>()), "int(double)") << "how it is taken is its own";
  EXPECT_EQ((SignatureText<const int&, double&&>()), "int(double)");
}

TEST(TypeText, OtherTypesHaveAnotherSignature) {
  const std::vector<std::string> signatures{SignatureText<int, int>(),
                                            SignatureText<int, unsigned>(),
                                            SignatureText<int, long>(),
                                            SignatureText<int, int, int>(),
                                            SignatureText<int>(),
                                            SignatureText<void, int>(),
                                            SignatureText<int, std::vector<int>>(),
                                            SignatureText<int, std::vector<long>>(),
                                            SignatureText<int, std::span<const int>>(),
                                            SignatureText<int, std::string>(),
                                            SignatureText<int, std::string_view>(),
                                            SignatureText<int, SharedArray<int>>(),
                                            SignatureText<int, SharedArray<float>>(),
                                            SignatureText<int, Point>(),
                                            SignatureText<int, Kind>()};
  EXPECT_EQ(std::set<std::string>(signatures.begin(), signatures.end()).size(), signatures.size());
}

TEST(TypeText, ATypeOfTheSameNameAndAnotherSizeIsAnotherOne) {
  const OtherSignatures other = SignaturesOfTheOtherProgram();
  ASSERT_NE(other.of_point.find("Point"), std::string::npos);
  EXPECT_NE((SignatureText<int, Point>()), other.of_point);
  EXPECT_NE((SignatureText<int, std::vector<Point>>()), other.of_points);
  EXPECT_NE((SignatureText<int, std::span<const Point>>()), other.of_view);
  EXPECT_NE((SignatureText<int, SharedArray<Point>>()), other.of_array);
  EXPECT_NE(SignatureText<Kind>(), other.of_kind);
}

TEST(TypeText, SizesStandWhereTheProgramHasItsOwnTypes) {
  EXPECT_NE((SignatureText<int, Point>()).find("16 bytes"), std::string::npos);
  EXPECT_NE((SignatureText<int, std::vector<Point>>()).find("16 bytes"), std::string::npos);
  EXPECT_EQ((SignatureText<int, std::vector<int>>()), "int(std::vector<int>)");
}

}  // namespace
}  // namespace procpool
